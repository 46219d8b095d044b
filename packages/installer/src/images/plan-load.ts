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
import type { ImageState } from "./image-state.ts";
import { planArchives } from "./plan-archives.ts";

export interface LoadPlan {
  /** Images to be loaded; none when the engine has them all. */
  images: BundledImage[];
  /** Images whose tags are to be set, or that get them with being loaded. */
  toTag: BundledImage[];
  /** What the engine is given, in order. */
  archives: ArchivePlan[];
  /** Whether the archives name their images, so that loading them moves tags; else that is done when all are there. */
  namesImages: boolean;
  /** What these archives take from the bundle. */
  storedBytes: number;
  /** What the engine keeps of the archives at the same time, beside what it makes of them. */
  archiveBytes: number;
  /** What the layers become when unpacked. */
  unpackedBytes: number;
}

export interface ArchivePlan {
  images: BundledImage[];
  /** What becomes of the bundle's entries that go into this archive, by their paths. Others are only verified. */
  entries: ReadonlyMap<string, EntryFate>;
  /** Archives before it that the engine must have unpacked first: these images stand on their layers. */
  after: number[];
  sizeBytes: number;
}

/**
 * `select`: a listing, made anew for the images that are sent. `config`: of an image, for the archive's end. A layer that goes as it is,
 * the engine unpacks by itself.
 */
export type EntryFate =
  | { kind: "as it is"; layer?: BundledLayer }
  | { kind: "select" }
  | { kind: "config" }
  | { kind: "decompress"; layer: BundledLayer };

/** How many archives the engine may have at the same time: one that it is given, and those that it unpacks. */
export const ARCHIVES_AT_ONCE = 3;

/**
 * Of a bundle, what an engine has to be given that has its images in these states.
 *
 * A containerd store keeps the blobs as they come and gets them so, all in one archive. A classic one keeps none: it gets Docker archives of
 * layers that were decompressed in passing, which engines before 23.0 need, and the others take much faster; and without the layers that
 * it has already.
 */
export function planLoad(manifest: Manifest, states: readonly ImageState[], store: ImageStore): LoadPlan {
  const imagesWhere = (applies: (state: ImageState) => boolean) =>
    states.filter(applies).map(({ image }) => image);
  const images = imagesWhere(({ isThere }) => !isThere);
  const archives =
    images.length === 0
      ? []
      : store === "classic"
        ? planArchives(
            manifest,
            images,
            imagesWhere(({ isThere }) => isThere),
          )
        : [planLayout(manifest, images)];
  const taken = new Set(archives.flatMap(({ entries }) => [...entries.keys()]));
  const needed = manifest.layers.filter(({ digest }) => taken.has(blobEntry(digest)));
  return {
    images,
    toTag: imagesWhere(({ problem }) => problem !== undefined),
    archives,
    namesImages: store === "containerd",
    storedBytes: storedBytes(manifest, taken),
    archiveBytes: mostAtOnce(archives.map(({ sizeBytes }) => sizeBytes)),
    unpackedBytes: sum(needed.map(({ uncompressedSizeBytes }) => uncompressedSizeBytes)),
  };
}

function planLayout(manifest: Manifest, images: readonly BundledImage[]): ArchivePlan {
  const needed = new Set(images.flatMap(({ diffIds }) => diffIds));
  const layers = manifest.layers.filter(({ diffId }) => needed.has(diffId));
  const metadata = images.flatMap(({ configDigest, manifestDigest }) => [configDigest, manifestDigest]);
  const entries = new Map<string, EntryFate>([
    [OCI_LAYOUT_ENTRY, { kind: "as it is" }],
    [OCI_INDEX_ENTRY, { kind: "select" }],
    [DOCKER_ARCHIVE_MANIFEST_ENTRY, { kind: "select" }],
    ...metadata.map((digest): [string, EntryFate] => [blobEntry(digest), { kind: "as it is" }]),
    ...layers.map((layer): [string, EntryFate] => [blobEntry(layer.digest), { kind: "as it is", layer }]),
  ]);
  return {
    images: [...images],
    entries,
    after: [],
    sizeBytes: storedBytes(manifest, new Set(entries.keys())),
  };
}

function storedBytes(manifest: Manifest, paths: ReadonlySet<string>): number {
  return sum(
    manifest.entries.map((entry) => (entry.type === "file" && paths.has(entry.path) ? entry.sizeBytes : 0)),
  );
}

function mostAtOnce(sizes: readonly number[]): number {
  return Math.max(0, ...sizes.map((_, index) => sum(sizes.slice(index, index + ARCHIVES_AT_ONCE))));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
