import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { writeError } from "./write-error.ts";

/** What a file is called while it is being written. Readers ignore such files; the next run replaces them. */
export function temporaryName(path: string): string {
  return `${path}.partial`;
}

/**
 * Writes a small file so that its name never stands for half of it, whenever the power fails: temporary name, fsync, rename,
 * fsync of the folder. Replaces a file of that name. Throws disk-full, not-writable.
 */
export async function writeFileAtomically(
  path: string,
  content: string | Uint8Array,
  options: { mode?: number } = {},
): Promise<void> {
  const temporary = temporaryName(path);
  try {
    // A new file each time: one that a killed run left might have other rights.
    await rm(temporary, { force: true });
    const file = await open(temporary, "wx", options.mode ?? 0o644);
    try {
      if (options.mode !== undefined) await chmodIfPossible(file, options.mode);
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await fsyncDirectory(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true });
    throw writeError(error, path);
  }
}

/** The umask must not decide. FAT has no modes and may say so with EPERM. */
async function chmodIfPossible(file: FileHandle, mode: number): Promise<void> {
  await file.chmod(mode).catch((error) => {
    if (error.code !== "EPERM" && error.code !== "ENOTSUP") throw error;
  });
}

/** Makes renames in a folder outlive a power cut, where the file system can do that. */
export async function fsyncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } catch (error) {
    // Some FUSE and network file systems know no fsync for folders: nothing more can be done there.
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code !== "EINVAL" && code !== "ENOTSUP" && code !== "ENOSYS") throw error;
  } finally {
    await directory.close();
  }
}
