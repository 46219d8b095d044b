import {
  type BundledImage,
  blobEntry,
  DOCKER_ARCHIVE_MANIFEST_ENTRY,
  OCI_INDEX_ENTRY,
  OCI_LAYOUT_ENTRY,
} from "@drybag/format";

/** An entry of an archive for the engine. */
export interface ArchiveEntry {
  path: string;
  content: Buffer;
}

/** What names the images of an archive to the engine, in either of the two forms: without tags, so that loading them moves none. */
export type ArchiveListing = (
  images: readonly BundledImage[],
  metadata: readonly ArchiveEntry[],
) => ArchiveEntry[];

/** Of a Docker image archive whose layers have the names of their diffIDs. */
export const dockerArchiveListing: ArchiveListing = (images) => [
  jsonEntry(
    DOCKER_ARCHIVE_MANIFEST_ENTRY,
    images.map(({ configDigest, diffIds }) => ({
      Config: blobEntry(configDigest),
      RepoTags: null,
      Layers: diffIds.map(blobEntry),
    })),
  ),
];

/** Of an OCI image layout. The manifests are in `metadata`. */
export const ociLayoutListing: ArchiveListing = (images, metadata) => {
  const contents = new Map(metadata.map(({ path, content }) => [path, content]));
  const manifests = images.map(({ manifestDigest }) => ({
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    digest: manifestDigest,
    size: contents.get(blobEntry(manifestDigest))?.length,
  }));
  return [
    jsonEntry(OCI_LAYOUT_ENTRY, { imageLayoutVersion: "1.0.0" }),
    jsonEntry(OCI_INDEX_ENTRY, {
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.index.v1+json",
      manifests,
    }),
  ];
};

function jsonEntry(path: string, value: object): ArchiveEntry {
  return { path, content: Buffer.from(JSON.stringify(value)) };
}
