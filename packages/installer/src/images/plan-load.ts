import type { ImageStore } from "@drybag/docker";
import { type BundledImage, type BundledLayer, blobEntry, type Manifest } from "@drybag/format";
import { sum } from "../sum.ts";
import type { ArchiveListing } from "./archive-listing.ts";
import type { ImageState } from "./image-state.ts";
import { planArchives } from "./plan-archives.ts";

export interface LoadPlan {
  /** Images to be loaded; none when the engine has them all. */
  images: BundledImage[];
  /** Images whose tags are to be set, when all are there. */
  toTag: BundledImage[];
  /** What the engine is given, in order. */
  archives: ArchivePlan[];
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
  /** What comes at its end. */
  listing: ArchiveListing;
  /** Archives before it that the engine must have unpacked first: these images stand on their layers. */
  after: number[];
  sizeBytes: number;
}

/** `metadata`: an image's config or manifest, for the archive's end. A layer that goes as it is, the engine unpacks by itself. */
export type EntryFate =
  | { kind: "metadata" }
  | { kind: "as it is"; layer: BundledLayer }
  | { kind: "decompress"; layer: BundledLayer };

/** How many archives the engine may have at the same time: one that it is given, and those that it unpacks. */
export const ARCHIVES_AT_ONCE = 3;

/** Of a bundle, what an engine has to be given that has its images in these states. */
export function planLoad(manifest: Manifest, states: readonly ImageState[], store: ImageStore): LoadPlan {
  const imagesWhere = (applies: (state: ImageState) => boolean) =>
    states.filter(applies).map(({ image }) => image);
  const images = imagesWhere(({ isThere }) => !isThere);
  const present = imagesWhere(({ isThere }) => isThere);
  const archives = planArchives(manifest, images, present, store);
  const taken = new Set(archives.flatMap(({ entries }) => [...entries.keys()]));
  const needed = manifest.layers.filter(({ digest }) => taken.has(blobEntry(digest)));
  const sizes = archives.map(({ sizeBytes }) => sizeBytes);
  return {
    images,
    toTag: imagesWhere(({ problem }) => problem !== undefined),
    archives,
    storedBytes: storedBytes(manifest, taken),
    archiveBytes: store === "containerd" ? sum(sizes) : mostAtOnce(sizes),
    unpackedBytes: sum(needed.map(({ uncompressedSizeBytes }) => uncompressedSizeBytes)),
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
