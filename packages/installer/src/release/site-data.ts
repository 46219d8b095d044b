import { mkdir, symlink } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import type { Manifest } from "@drybag/format";

/**
 * Folders that a project bind-mounts and that were empty when it was packed hold what the site's services write. They live beside the
 * releases, and every release has a link in their place: an upgrade finds the data of the release before. The link is relative,
 * so that it is the same while the release is staged.
 */
export async function linkDataFolder(entryPath: string, releaseFolder: string, data: string): Promise<void> {
  const link = join(releaseFolder, entryPath.replace(/\/$/, ""));
  await mkdir(dirname(link), { recursive: true });
  await symlink(relative(dirname(link), join(data, entryPath)), link);
}

/** Makes the folders that the links lead to; those that are there keep what is in them, their owner and mode. */
export async function makeDataFolders(manifest: Manifest, data: string): Promise<void> {
  for (const entry of manifest.entries.filter(({ type }) => type === "directory")) {
    await mkdir(join(data, entry.path), { recursive: true });
  }
}
