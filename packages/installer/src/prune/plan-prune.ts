import type { BundledImage, Manifest } from "@drybag/format";

/**
 * The releases that may go: all but the current one and the last `keep` others that ran, newest first. Releases that never ran go
 * too. Pure; `history` as the journal has it, oldest first.
 */
export function releasesToPrune(
  present: readonly string[],
  history: readonly string[],
  current: string,
  keep: number,
): string[] {
  const ran = [...new Set([...history].reverse())].filter(
    (name) => name !== current && present.includes(name),
  );
  const kept = new Set([current, ...ran.slice(0, keep)]);
  return present.filter((name) => !kept.has(name));
}

/** Images of releases that go, unless one that stays, of whichever stack, has the same. */
export function imagesToPrune(
  going: readonly Manifest[],
  staying: readonly Manifest[],
  idOf: (image: BundledImage) => string,
): { tag: string; id: string }[] {
  const needed = new Set(staying.flatMap(({ images }) => images.map(idOf)));
  const found = new Map(
    going.flatMap(({ images }) => images.map((image) => [idOf(image), image.tag] as const)),
  );
  return [...found].filter(([id]) => !needed.has(id)).map(([id, tag]) => ({ id, tag }));
}
