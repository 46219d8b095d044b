import type { ImageStore } from "@drybag/docker";
import {
  type BundledImage,
  type BundledLayer,
  blobEntry,
  DOCKER_ARCHIVE_MANIFEST_ENTRY,
  type Manifest,
  OCI_INDEX_ENTRY,
  OCI_LAYOUT_ENTRY,
} from "@drybag/format";

export interface LoadPlan {
  /** Images to be loaded; none when the engine has them all. */
  images: BundledImage[];
  /** What becomes of the bundle's entries that go to the engine, by their paths. The others are only verified. */
  entries: ReadonlyMap<string, EntryFate>;
  /** What these entries hold: that much is taken from the stick. */
  storedBytes: number;
  /** What the engine is given: it keeps that much beside what it makes of it. */
  archiveBytes: number;
  /** What the layers become when unpacked. */
  unpackedBytes: number;
}

/** `select`: a listing, made anew for the images that are sent. */
export type EntryFate =
  | { kind: "as it is" }
  | { kind: "select" }
  | { kind: "decompress"; layer: BundledLayer };

/**
 * Of a bundle, what an engine that lacks some of its images has to be given. `present` are those that it has.
 *
 * A containerd store keeps the blobs as they come and gets them so. A classic one keeps none: it gets a Docker archive of layers that were
 * decompressed in passing, which engines before 23.0 need, and the others take much faster; and without the layers that it has already,
 * which it knows by what lies below them.
 */
export function planLoad(
  manifest: Manifest,
  missing: readonly BundledImage[],
  store: ImageStore,
  present: readonly BundledImage[] = [],
): LoadPlan {
  const needed =
    store === "classic"
      ? diffIdsBeyond(missing, present)
      : new Set(missing.flatMap(({ diffIds }) => diffIds));
  const layers = manifest.layers.filter(({ diffId }) => needed.has(diffId));
  const entries = new Map<string, EntryFate>(
    missing.length === 0
      ? []
      : store === "classic"
        ? asDockerArchive(missing, layers)
        : asLayout(missing, layers),
  );
  const storedBytes = sum(
    manifest.entries.map((entry) => (entry.type === "file" && entries.has(entry.path) ? entry.sizeBytes : 0)),
  );
  const unpackedBytes = sum(layers.map(({ uncompressedSizeBytes }) => uncompressedSizeBytes));
  const archiveBytes = store === "classic" ? unpackedBytes : storedBytes;
  return { images: [...missing], entries, storedBytes, archiveBytes, unpackedBytes };
}

function asLayout(images: readonly BundledImage[], layers: readonly BundledLayer[]): [string, EntryFate][] {
  const blobs = [
    ...images.flatMap(({ configDigest, manifestDigest }) => [configDigest, manifestDigest]),
    ...layers.map(({ digest }) => digest),
  ];
  return [
    [OCI_LAYOUT_ENTRY, { kind: "as it is" }],
    [OCI_INDEX_ENTRY, { kind: "select" }],
    [DOCKER_ARCHIVE_MANIFEST_ENTRY, { kind: "select" }],
    ...blobs.map((digest): [string, EntryFate] => [blobEntry(digest), { kind: "as it is" }]),
  ];
}

function asDockerArchive(
  images: readonly BundledImage[],
  layers: readonly BundledLayer[],
): [string, EntryFate][] {
  return [
    [DOCKER_ARCHIVE_MANIFEST_ENTRY, { kind: "select" }],
    ...images.map(({ configDigest }): [string, EntryFate] => [blobEntry(configDigest), { kind: "as it is" }]),
    ...layers.map((layer): [string, EntryFate] => [blobEntry(layer.digest), { kind: "decompress", layer }]),
  ];
}

/** A classic store knows a layer by its chain: the same layer on something else is another one to it. */
function diffIdsBeyond(missing: readonly BundledImage[], present: readonly BundledImage[]): Set<string> {
  const chains = ({ diffIds }: BundledImage) =>
    diffIds.map((diffId, index) => ({ diffId, chain: diffIds.slice(0, index + 1).join(" ") }));
  const known = new Set(present.flatMap(chains).map(({ chain }) => chain));
  return new Set(
    missing
      .flatMap(chains)
      .filter(({ chain }) => !known.has(chain))
      .map(({ diffId }) => diffId),
  );
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
