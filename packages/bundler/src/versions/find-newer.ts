import { compareTags, haveSameShape, parseTag, type TagVersion } from "./parse-tag.ts";

export const STEPS = ["patch", "minor", "major"] as const;
export type Step = (typeof STEPS)[number];

/** The newest tag for each size of step, where there is one. */
export type NewerTags = Partial<Record<Step, string>>;

/**
 * Tags that are newer than the present one and have its shape: as many numbers, the same prefix and suffix (`8.6-alpine` goes to
 * `8.8-alpine`). Pre-releases are passed over unless the present one is. undefined where the present tag is no version.
 * @param isPossible asked of a tag before it is taken
 */
export function findNewer(
  current: string,
  tags: Iterable<string>,
  isPossible: (tag: string) => boolean = () => true,
): NewerTags | undefined {
  const now = parseTag(current);
  if (now === undefined) return undefined;
  const newest: Partial<Record<Step, TagVersion>> = {};
  for (const tag of tags) {
    const found = parseTag(tag);
    if (found === undefined || !haveSameShape(now, found) || compareTags(found, now) <= 0) continue;
    if (found.preRelease !== undefined && now.preRelease === undefined) continue;
    const step = stepBetween(now, found);
    const best = newest[step];
    if ((best === undefined || compareTags(found, best) > 0) && isPossible(tag)) newest[step] = found;
  }
  return Object.fromEntries(STEPS.flatMap((step) => (newest[step] ? [[step, newest[step].tag]] : [])));
}

/** The first number that differs says how large the step is, as semver.org has it; of `8.6` the second is the minor one. */
export function stepBetween(a: TagVersion, b: TagVersion): Step {
  const at = a.numbers.findIndex((number, index) => number !== b.numbers[index]);
  if (at === 0) return "major";
  return at === 1 ? "minor" : "patch";
}
