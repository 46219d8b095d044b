/** `1 file`, `2 files`: of a list, or of the keys of a record. */
export function count(items: object | undefined, noun: string): string {
  const number = Array.isArray(items) ? items.length : Object.keys(items ?? {}).length;
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
