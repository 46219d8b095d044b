import { compareVersions } from "@drybag/docker";

/** The tag of the highest version that is released; undefined where none looks like a version. */
export function newestTag(tags: readonly string[]): string | undefined {
  return tags
    .filter((tag) => /^v?\d+(?:\.\d+)+$/.test(tag))
    .sort((a, b) => compareVersions(a.replace(/^v/, ""), b.replace(/^v/, "")))
    .at(-1);
}

/** Whether a version is in a range of conditions with commas: `>=15.0.0,<16.0.0`. undefined where that cannot be told. */
export function isInRange(version: string, range: string): boolean | undefined {
  const plain = /^v?(\d+(?:\.\d+)*)/.exec(version)?.[1];
  if (plain === undefined) return undefined;
  const results = range.split(",").map((part) => {
    const [, operator, bound] =
      /^\s*(>=|<=|==|>|<|~=|!=)\s*v?(\d+(?:\.\d+)*)(?:[.-][A-Za-z].*)?\s*$/.exec(part) ?? [];
    if (operator === undefined || bound === undefined) return undefined;
    const order = compareVersions(plain, bound);
    if (operator === ">=") return order >= 0;
    if (operator === ">") return order > 0;
    if (operator === "<=") return order <= 0;
    if (operator === "<") return order < 0;
    if (operator === "==") return order === 0;
    if (operator === "!=") return order !== 0;
    return undefined;
  });
  if (results.includes(false)) return false;
  return results.every((result) => result === true) ? true : undefined;
}
