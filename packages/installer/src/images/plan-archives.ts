import { type BundledImage, type BundledLayer, blobEntry, type Manifest } from "@drybag/format";
import type { ArchivePlan, EntryFate } from "./plan-load.ts";

/** Below this, an archive more takes longer than it saves. */
const SMALLEST_ARCHIVE_BYTES = 64 * 1024 ** 2;

/**
 * Spreads the images that a classic store lacks over archives that it is given one after the other while the bundle is read. The layers
 * of each follow those of the one before in the bundle, so that one is read while the engine unpacks another.
 *
 * A classic store knows a layer by its chain: the same layer on something else is another one to it. It is given each chain once, and
 * none that `present` images have.
 */
export function planArchives(
  { layers }: Pick<Manifest, "layers">,
  missing: readonly BundledImage[],
  present: readonly BundledImage[],
): ArchivePlan[] {
  return joinGroups(groupImages(layers, missing, present)).map((group, index, groups) => ({
    images: group.images,
    entries: entriesOf(group),
    after: groups.flatMap((other, at) => (at !== index && needs(group, other) ? [at] : [])),
    sizeBytes: unpackedBytes(group.layers),
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

function entriesOf({ images, layers }: Group): Map<string, EntryFate> {
  return new Map<string, EntryFate>([
    ...images.map(({ configDigest }) => [blobEntry(configDigest), { kind: "config" }] as const),
    ...[...layers].map((layer) => [blobEntry(layer.digest), { kind: "decompress", layer }] as const),
  ]);
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
  return [...layers].reduce((total, { uncompressedSizeBytes }) => total + uncompressedSizeBytes, 0);
}
