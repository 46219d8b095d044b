import { chmod, copyFile, mkdir, readFile, readlink, rename, rm, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { compareVersions, fsyncDirectory, writeFileAtomically } from "@drybag/format";
import { exists } from "../release/place-release.ts";

export interface InstalledSelf {
  /** The program, in `<dir>/bin`. */
  path: string;
  /** How to call it: by name where the link is in PATH, else by its path. */
  command: string;
  /** The version that stayed, because it is newer than this one. */
  newerStays?: string;
}

const PROGRAM = "drybag-site";

/**
 * Copies the running executable to where it is found again: what install.sh started lies in a temporary folder. The link is made where
 * its folder can be written to, and never in place of something that is not ours. A newer one that is there already stays: it knows what this
 * one does, and the stacks that it installed may need it.
 */
export async function installSelf(
  executable: string,
  version: string,
  dir: string,
  linkFolder: string | undefined,
): Promise<InstalledSelf> {
  const path = join(dir, "bin", PROGRAM);
  await mkdir(dirname(path), { recursive: true });
  const installed = await installedVersion(path);
  const isNewer = installed !== undefined && compareVersions(installed, version) > 0;
  if (executable !== path && !isNewer) {
    const partial = `${path}.${process.pid}.partial`;
    try {
      await copyFile(executable, partial);
      // install.sh unpacks it for its own user only; whoever calls this one is told what they lack by the program, not by the shell.
      await chmod(partial, 0o755);
      await rename(partial, path);
    } finally {
      await rm(partial, { force: true });
    }
    await fsyncDirectory(dirname(path));
    await writeFileAtomically(versionFile(path), `${version}\n`);
  }
  const isLinked = linkFolder !== undefined && (await linkTo(path, join(linkFolder, PROGRAM)));
  return { path, command: isLinked ? PROGRAM : path, ...(isNewer && { newerStays: installed }) };
}

/** Beside the program, so that it need not be started to be asked. */
function versionFile(path: string): string {
  return `${path}.version`;
}

/** Undefined where there is none, or an old one that does not tell. */
async function installedVersion(path: string): Promise<string | undefined> {
  if (!(await exists(path))) return undefined;
  const text = await readFile(versionFile(path), "utf8").catch(() => "");
  return text.trim() || undefined;
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
