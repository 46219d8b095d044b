/** A tag as a version: `v16.32.3-rc.1-alpine3.21`. */
export interface TagVersion {
  tag: string;
  /** What stands before the numbers: `v`. */
  prefix: string;
  numbers: bigint[];
  /** `["rc", 1]` of a pre-release. */
  preRelease: { stage: string; number: bigint } | undefined;
  /** What stands behind: `-alpine3.21`. */
  suffix: string;
  /** The numbers in it. */
  suffixNumbers: bigint[];
}

/** The stages of a version that is not out yet, in their order; others stand before all of these. */
const STAGES = [
  "dev",
  "nightly",
  "snapshot",
  "edge",
  "canary",
  "alpha",
  "a",
  "beta",
  "b",
  "pre",
  "preview",
  "rc",
];
const WORDS = "dev|nightly|snapshot|edge|canary|alpha|beta|preview|pre|rc|develop|next";
/** `-rc.1`, `rc1`, `-beta`; `a1` and `b2` only right behind a number, as Python writes them. */
const PRE_RELEASE = new RegExp(`^(?:[-._]?(${WORDS})[-.]?(\\d*)|(a|b)(\\d+))(?=$|[-._+])`, "i");

/** Reads a tag as a version; undefined for one that is none: `latest`, `bookworm`, `sha-4c860c6`. */
export function parseTag(tag: string): TagVersion | undefined {
  const match = /^((?:[a-z][a-z_-]*?[-_.]?)?)(\d+(?:\.\d+)*)(.*)$/is.exec(tag);
  if (match === null) return undefined;
  const [, prefix = "", version = "", rest = ""] = match;
  // A commit, or a word that happens to have a digit in it.
  if (/^sha[-_.]?$/i.test(prefix)) return undefined;
  if (/^[a-z]/i.test(rest) && !PRE_RELEASE.test(rest)) return undefined;
  const [whole = "", word, number, letter, letterNumber] = PRE_RELEASE.exec(rest) ?? [];
  const stage = (word ?? letter)?.toLowerCase();
  const suffix = rest.slice(whole.length);
  return {
    tag,
    prefix,
    numbers: numbersIn(version),
    preRelease: stage === undefined ? undefined : { stage, number: BigInt(number || letterNumber || 0) },
    suffix,
    suffixNumbers: numbersIn(suffix),
  };
}

/** Whether two tags differ by their numbers only, and by their stage before a release. */
export function haveSameShape(a: TagVersion, b: TagVersion): boolean {
  return (
    a.prefix === b.prefix &&
    a.numbers.length === b.numbers.length &&
    kindOf(a.numbers[0]) === kindOf(b.numbers[0]) &&
    withoutNumbers(a.suffix) === withoutNumbers(b.suffix)
  );
}

/** Orders tags of one shape: numbers first, a pre-release before its release, then the numbers of the suffix. */
export function compareTags(a: TagVersion, b: TagVersion): number {
  return (
    compareNumbers(a.numbers, b.numbers) ||
    comparePreReleases(a, b) ||
    compareNumbers(a.suffixNumbers, b.suffixNumbers)
  );
}

function numbersIn(text: string): bigint[] {
  return (text.match(/\d+/g) ?? []).map(BigInt);
}

function withoutNumbers(text: string): string {
  return text.replace(/\d+/g, "#");
}

/** Some repositories have tags that count, and others of the same form that are dates: neither is newer than the other. */
function kindOf(first: bigint | undefined): "count" | "year" | "date" {
  if (first === undefined || first < 1900n) return "count";
  return first < 2200n ? "year" : "date";
}

function compareNumbers(a: readonly bigint[], b: readonly bigint[]): number {
  for (let at = 0; at < Math.max(a.length, b.length); at += 1) {
    const [x, y] = [a[at] ?? 0n, b[at] ?? 0n];
    if (x !== y) return x < y ? -1 : 1;
  }
  return 0;
}

function comparePreReleases({ preRelease: a }: TagVersion, { preRelease: b }: TagVersion): number {
  if (a === undefined || b === undefined) return (a === undefined ? 1 : 0) - (b === undefined ? 1 : 0);
  const [x, y] = [STAGES.indexOf(a.stage), STAGES.indexOf(b.stage)];
  if (x !== y) return x - y;
  return a.number < b.number ? -1 : a.number > b.number ? 1 : 0;
}
