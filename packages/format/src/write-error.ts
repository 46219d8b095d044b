import { DrybagError } from "@drybag/errors";

/** An error of the file system while writing, in words that say what to do; any other error as it is. */
export function writeError(error: unknown, path: string): unknown {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  switch (code) {
    case "ENOSPC":
    case "EDQUOT":
      return new DrybagError("disk-full", `No space left for ${path}.`, {
        hint: "Free some space or choose another folder with -o, then run the same command again.",
        cause: error,
      });
    case "EFBIG":
      return new DrybagError("not-writable", `The file system cannot hold a file as large as ${path}.`, {
        hint: "FAT32 holds files below 4 GiB: write smaller parts, which is the default.",
        cause: error,
      });
    case "EACCES":
    case "EPERM":
    case "EROFS":
    case "ENOENT":
    case "ENOTDIR":
      return new DrybagError("not-writable", `${path} cannot be written: ${(error as Error).message}`, {
        hint: "Check that the folder exists, is not mounted read-only and belongs to you.",
        cause: error,
      });
    case "EIO":
      return new DrybagError("not-writable", `The drive failed while writing ${path}.`, {
        hint: "Use another drive or stick: this one cannot be trusted.",
        cause: error,
      });
    default:
      return error;
  }
}
