import { copyFile, mkdir, readlink, rename, rm, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fsyncDirectory } from "@drybag/format";

export interface InstalledSelf {
  /** The program, in `<dir>/bin`. */
  path: string;
  /** How to call it: by name where the link is in PATH, else by its path. */
  command: string;
}

const PROGRAM = "drybag-site";

/**
 * Copies the running executable to where it is found again: what install.sh started lies in a temporary folder. The link is made where
 * its folder can be written to, and never in place of something that is not ours.
 */
export async function installSelf(
  executable: string,
  dir: string,
  linkFolder: string | undefined,
): Promise<InstalledSelf> {
  const path = join(dir, "bin", PROGRAM);
  await mkdir(dirname(path), { recursive: true });
  if (executable !== path) {
    const partial = `${path}.${process.pid}.partial`;
    try {
      await copyFile(executable, partial);
      await rename(partial, path);
    } finally {
      await rm(partial, { force: true });
    }
    await fsyncDirectory(dirname(path));
  }
  const isLinked = linkFolder !== undefined && (await linkTo(path, join(linkFolder, PROGRAM)));
  return { path, command: isLinked ? PROGRAM : path };
}

/** Whether the link leads there now. */
async function linkTo(path: string, link: string): Promise<boolean> {
  try {
    await symlink(path, link);
    return true;
  } catch {
    return (await readlink(link).catch(() => undefined)) === path;
  }
}
