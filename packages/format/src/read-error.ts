import { DrybagError } from "@drybag/errors";

/** An error of the file system while reading from the stick, in words that say what to do; any other error as it is. */
export function readError(error: unknown, path: string): unknown {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  switch (code) {
    case "ENOENT":
      return new DrybagError("bundle-part-missing", `${path} is gone.`, {
        hint: "Was the stick taken out? Put it in again, or copy the file again.",
        cause: error,
      });
    case "EACCES":
    case "EPERM":
      return new DrybagError("bundle-unreadable", `${path} may not be read by this user.`, {
        hint: "Run the same command as root, or give yourself the right to read it.",
        cause: error,
      });
    case "ELOOP":
      return new DrybagError("bundle-unreadable", `${path} is a link that leads to itself.`, {
        hint: "Copy it again from where the bundle was made.",
        cause: error,
      });
    case "EIO":
    case "ENXIO":
    case "ENODEV":
    case "ESTALE":
    case "ENOTCONN":
    case "ECONNABORTED":
    case "ENOMEDIUM":
    case "EREMOTEIO":
    case "EUCLEAN":
    case "EISDIR":
      return new DrybagError("bundle-unreadable", `The drive could not read ${path}.`, {
        hint: "Was the stick taken out? Put it in again; else copy the bundle again, on another stick if this happens twice.",
        cause: error,
      });
    default:
      return error;
  }
}
