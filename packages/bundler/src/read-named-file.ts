import { readFile } from "node:fs/promises";
import { DrybagError } from "@drybag/errors";

/**
 * The text of a file that the user named somewhere. `what` begins the sentence about it, `hint` says where its name stands.
 * Throws `file-missing`, `file-unreadable`.
 */
export async function readNamedFile(file: string, what: string, hint: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === "ENOENT";
    throw new DrybagError(
      missing ? "file-missing" : "file-unreadable",
      `${what} ${file} ${missing ? "does not exist" : "cannot be read"}.`,
      { hint, cause },
    );
  }
}
