/**
 * Compares two version numbers such as `28.5.2` and `v2.40.3-desktop.1` by their leading numbers.
 * Negative when `a` is older. Suffixes do not count: distributions append their own.
 */
export function compareVersions(a: string, b: string): number {
  const left = numbersOf(a);
  const right = numbersOf(b);
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function numbersOf(version: string): number[] {
  const match = /^v?(\d+(?:\.\d+)*)/.exec(version);
  return (match?.[1] ?? "0").split(".").map(Number);
}
