const UNITS: Record<string, number> = { "": 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };
const SMALLEST_PART_BYTES = 1024 * 1024;

/** `3900M`, `2G`, `1.5GiB`, or `none`, in bytes; undefined for anything else and for less than 1 MiB. */
export function parsePartSize(text: string): number | undefined {
  if (text === "none") return Number.POSITIVE_INFINITY;
  const sizeBytes = parseByteSize(text) ?? 0;
  return sizeBytes >= SMALLEST_PART_BYTES ? sizeBytes : undefined;
}

/** `500M`, `20G`, `1.5GiB`, `0`, in bytes; undefined for anything else. */
export function parseByteSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)([kmg]?)(?:i?b)?$/i.exec(text);
  return match ? Math.floor(Number(match[1]) * (UNITS[(match[2] ?? "").toLowerCase()] ?? 1)) : undefined;
}
