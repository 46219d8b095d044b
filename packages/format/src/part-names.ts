export interface BundleFileName {
  stem: string;
  /** From 1; undefined for a bundle in one file. */
  part?: number;
}

/**
 * Takes `x.tar` or `x.tar.001` apart, be it in capitals, as FAT shows short names; undefined for any other name. A name with control
 * characters is none: SHA256SUMS could not list it, nor could anybody be told of it.
 */
export function bundleFileName(name: string): BundleFileName | undefined {
  const [, stem, part] = /^(\P{Cc}+)\.tar(?:\.([0-9]{3}))?$/iu.exec(name) ?? [];
  if (stem === undefined || part === "000") return undefined;
  return part === undefined ? { stem } : { stem, part: Number(part) };
}
