import { type BundledImage, blobEntry, type Manifest, OCI_LAYOUT_ENTRY } from "@drybag/format";

export interface LoadPlan {
  /** Images to be loaded; none when the engine has them all. */
  images: BundledImage[];
  /** Entries of the bundle that go to the engine as they are. index.json and manifest.json are made anew. */
  entries: ReadonlySet<string>;
  /** What these entries hold: the engine is given that much. */
  storedBytes: number;
  /** What their layers become when unpacked. */
  unpackedBytes: number;
}

/** Of a bundle, what an engine that lacks some of its images has to be given. */
export function planLoad(manifest: Manifest, missing: readonly BundledImage[]): LoadPlan {
  const diffIds = new Set(missing.flatMap((image) => image.diffIds));
  const layers = manifest.layers.filter(({ diffId }) => diffIds.has(diffId));
  const digests = [
    ...missing.flatMap((image) => [image.configDigest, image.manifestDigest]),
    ...layers.map(({ digest }) => digest),
  ];
  const entries = new Set(missing.length === 0 ? [] : [OCI_LAYOUT_ENTRY, ...digests.map(blobEntry)]);
  return {
    images: [...missing],
    entries,
    storedBytes: sum(
      manifest.entries.map((entry) =>
        entry.type === "file" && entries.has(entry.path) ? entry.sizeBytes : 0,
      ),
    ),
    unpackedBytes: sum(layers.map(({ uncompressedSizeBytes }) => uncompressedSizeBytes)),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
