import { type BundledImage, blobEntry } from "@drybag/format";

/**
 * index.json (OCI image index) with the entries of some images only. An image with several tags has one entry for each, all with
 * the same digest: the name tells them apart.
 */
export function selectFromIndex(content: Buffer, images: readonly BundledImage[]): Buffer {
  const index = JSON.parse(content.toString()) as { manifests: { digest: string }[] };
  const digests = new Set(images.map(({ manifestDigest }) => manifestDigest));
  const manifests = index.manifests.filter(({ digest }) => digests.has(digest));
  return Buffer.from(JSON.stringify({ ...index, manifests }));
}

interface ArchiveItem {
  Config: string;
  RepoTags: string[] | null;
  Layers: string[];
}

/** manifest.json (Docker image archive), the same way. */
export function selectFromArchiveManifest(content: Buffer, images: readonly BundledImage[]): Buffer {
  const items = JSON.parse(content.toString()) as ArchiveItem[];
  const configs = new Set(images.map(({ configDigest }) => blobEntry(configDigest)));
  return Buffer.from(JSON.stringify(items.filter(({ Config }) => configs.has(Config))));
}

/** manifest.json of an archive whose layers have the names of their diffIDs. The images have no tags: loading them moves none. */
export function archiveManifest(images: readonly BundledImage[]): Buffer {
  const items = images.map(
    ({ configDigest, diffIds }): ArchiveItem => ({
      Config: blobEntry(configDigest),
      RepoTags: null,
      Layers: diffIds.map(blobEntry),
    }),
  );
  return Buffer.from(JSON.stringify(items));
}
