import type { ImageStore } from "@drybag/docker";
import { type BundledImage, type BundledLayer, blobEntry, type Manifest } from "@drybag/format";
import { sum } from "../sum.ts";
import { dockerArchiveListing, ociLayoutListing } from "./archive-listing.ts";
import type { ArchivePlan, EntryFate } from "./plan-load.ts";

/** Below this, an archive more takes longer than it saves. */
const SMALLEST_ARCHIVE_BYTES = 64 * 1024 ** 2;

/**
 * Spreads the images that an engine lacks over archives that it is given one after the other while the bundle is read. The layers
 * of each follow those of the one before in the bundle, so that one is read while the engine unpacks another.
 *
 * Both stores know an unpacked layer by its chain: the same layer on something else is another one to them. Each chain is given once.
 *
 * A containerd store keeps the blobs as they come and gets them so. A classic one keeps none: it gets layers that were decompressed in
 * passing, which engines before 23.0 need, and the others take much faster; and none that `present` images have on the same ones.
 */
export function planArchives(
  { layers }: Pick<Manifest, "layers">,
  missing: readonly BundledImage[],
  present: readonly BundledImage[],
  store: ImageStore,
): ArchivePlan[] {
  const known = store === "classic" ? present : [];
  return joinGroups(groupImages(layers, missing, known)).map((group, index, groups) => ({
    images: group.images,
    after: groups.flatMap((other, at) => (at !== index && needs(group, other) ? [at] : [])),
    ...(store === "classic" ? dockerArchive(group) : ociLayout(group)),
  }));
}

/** What goes into one archive. */
interface Group {
  images: BundledImage[];
  layers: Set<BundledLayer>;
  /** Where the first of its layers is in the bundle, and the last. */
  first: number;
  last: number;
  /** What it brings, by what lies below it: see Chain. */
  chains: Set<string>;
}

/** One for each image, with the layers of those chains that nobody before it brings. */
function groupImages(
  layers: readonly BundledLayer[],
  missing: readonly BundledImage[],
  present: readonly BundledImage[],
): Group[] {
  const known = new Set(present.flatMap(chainsOf).map(({ chain }) => chain));
  // The same image may have several tags.
  const images = new Map(missing.map((image) => [image.configDigest, image]));
  return [...images.values()].map((image) => {
    const own = chainsOf(image).filter(({ chain }) => !known.has(chain));
    for (const { chain } of own) known.add(chain);
    const needed = new Set(own.map(({ diffId }) => diffId));
    const isNeeded = ({ diffId }: BundledLayer) => needed.has(diffId);
    // One that brings no layer belongs to those that bring its last.
    const end = layers.findLastIndex(({ diffId }) => image.diffIds.includes(diffId));
    return {
      images: [image],
      layers: new Set(layers.filter(isNeeded)),
      first: needed.size === 0 ? end : layers.findIndex(isNeeded),
      last: needed.size === 0 ? end : layers.findLastIndex(isNeeded),
      chains: new Set(own.map(({ chain }) => chain)),
    };
  });
}

/** Groups become one whose layers lie among each other's, that are small, or where the former needs the latter. */
function joinGroups(groups: readonly Group[]): Group[] {
  const joined: Group[] = [];
  for (const group of groups.toSorted((a, b) => a.first - b.first)) {
    const from = joined.findIndex((earlier) => needs(earlier, group));
    let next = from === -1 ? group : joined.splice(from).reduceRight((later, one) => join(one, later), group);
    for (let last = joined.at(-1); last && belongTogether(last, next); last = joined.at(-1)) {
      joined.pop();
      next = join(last, next);
    }
    joined.push(next);
  }
  return joined;
}

/** Whether images of one stand on layers that the other brings. */
function needs(one: Group, { chains }: Group): boolean {
  return one.images.flatMap(chainsOf).some(({ chain }) => chains.has(chain));
}

function belongTogether(one: Group, other: Group): boolean {
  const isSmall = ({ layers }: Group) => unpackedBytes(layers) < SMALLEST_ARCHIVE_BYTES;
  return other.first <= one.last || isSmall(one) || isSmall(other);
}

function join(one: Group, other: Group): Group {
  return {
    images: [...one.images, ...other.images],
    layers: new Set([...one.layers, ...other.layers]),
    first: Math.min(one.first, other.first),
    last: Math.max(one.last, other.last),
    chains: new Set([...one.chains, ...other.chains]),
  };
}

type ArchiveForm = Pick<ArchivePlan, "entries" | "listing" | "sizeBytes">;

function dockerArchive({ images, layers }: Group): ArchiveForm {
  return {
    entries: new Map<string, EntryFate>([
      ...images.map(({ configDigest }) => [blobEntry(configDigest), { kind: "metadata" }] as const),
      ...[...layers].map((layer) => [blobEntry(layer.digest), { kind: "decompress", layer }] as const),
    ]),
    listing: dockerArchiveListing,
    sizeBytes: unpackedBytes(layers),
  };
}

function ociLayout({ images, layers }: Group): ArchiveForm {
  const metadata = images.flatMap(({ configDigest, manifestDigest }) => [configDigest, manifestDigest]);
  return {
    entries: new Map<string, EntryFate>([
      ...metadata.map((digest) => [blobEntry(digest), { kind: "metadata" }] as const),
      ...[...layers].map((layer) => [blobEntry(layer.digest), { kind: "as it is", layer }] as const),
    ]),
    listing: ociLayoutListing,
    sizeBytes: sum([...layers].map(({ sizeBytes }) => sizeBytes)),
  };
}

interface Chain {
  diffId: string;
  /** All that lies below it, and itself. */
  chain: string;
}

function chainsOf({ diffIds }: BundledImage): Chain[] {
  return diffIds.map((diffId, index) => ({ diffId, chain: diffIds.slice(0, index + 1).join(" ") }));
}

function unpackedBytes(layers: Iterable<BundledLayer>): number {
  return sum([...layers].map(({ uncompressedSizeBytes }) => uncompressedSizeBytes));
}
