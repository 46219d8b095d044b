import { readFile, readlink, rename, rm, symlink } from "node:fs/promises";
import { basename, join } from "node:path";
import { DrybagError } from "@drybag/errors";
import { fsyncDirectory, MANIFEST_ENTRY, type Manifest, parseManifest } from "@drybag/format";
import type { SitePaths } from "./site-paths.ts";

export interface InstalledRelease {
  /** `<version>-<id8>`. */
  name: string;
  folder: string;
  manifest: Manifest;
}

/** The release that runs, or undefined on a first install. Throws `release-not-found` where its folder is broken. */
export async function readCurrentRelease(paths: SitePaths): Promise<InstalledRelease | undefined> {
  const target = await readlink(paths.current).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (target === undefined) return undefined;
  return readRelease(paths, basename(target));
}

export async function readRelease(paths: SitePaths, name: string): Promise<InstalledRelease> {
  const folder = join(paths.releases, name);
  try {
    return { name, folder, manifest: parseManifest(await readFile(join(folder, MANIFEST_ENTRY))) };
  } catch (error) {
    throw new DrybagError("release-not-found", `The release in ${folder} cannot be read.`, {
      cause: error,
      detail: (error as Error).message,
      hint: "Install its bundle again.",
    });
  }
}

/** Makes a release the one that runs, at one instant. */
export async function switchCurrent(paths: SitePaths, release: string): Promise<void> {
  const link = `${paths.current}.new`;
  await rm(link, { force: true });
  await symlink(join("releases", release), link);
  await rename(link, paths.current);
  await fsyncDirectory(paths.root);
}
