const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

/**
 * A byte count for people, always in binary units: `512 B`, `9.5 MiB`, `812 MiB`, `1.2 GiB`. One decimal below 100, none above.
 */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // 1023.95 would be printed as "1024 KiB": go on to the next unit where rounding would.
  while (Math.round(value) >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const decimals = unit === 0 || value >= 99.95 ? 0 : 1;
  return `${value.toFixed(decimals)} ${UNITS[unit]}`;
}
