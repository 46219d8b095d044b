export interface BundleFileName {
  stem: string;
  /** From 1; undefined for a bundle in one file. */
  part?: number;
}

/** Takes `x.tar` or `x.tar.001` apart; undefined for any other name. */
export function bundleFileName(name: string): BundleFileName | undefined {
  const [, stem, part] = /^(.+)\.tar(?:\.([0-9]{3}))?$/s.exec(name) ?? [];
  if (stem === undefined || part === "000") return undefined;
  return part === undefined ? { stem } : { stem, part: Number(part) };
}
