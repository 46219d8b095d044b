import { readFile } from "node:fs/promises";
import { DrybagError } from "@drybag/errors";
import { writeFileAtomically } from "@drybag/format";
import { envLine, parseEnvLines } from "./env-lines.ts";

/** The answers given before; none where the file is not there. Throws `setting-invalid`, `file-unreadable`. */
export async function readAnswers(path: string): Promise<Map<string, string>> {
  try {
    return parseEnvLines(await readFile(path, "utf8"), path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return new Map();
    if (code === "EACCES") {
      throw new DrybagError("file-unreadable", `${path} cannot be read.`, {
        hint: "Run the same command as root, or as the user who installed the stack.",
      });
    }
    throw error;
  }
}

/** Remembers the answers, readable by their owner only. A file that says the same already is left alone. */
export async function writeAnswers(path: string, answers: ReadonlyMap<string, string>): Promise<void> {
  const before = await readAnswers(path);
  if (before.size === answers.size && [...answers].every(([name, value]) => before.get(name) === value)) {
    return;
  }
  const lines = [...answers]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => envLine(name, value));
  await writeFileAtomically(path, lines.join(""), { mode: 0o600 });
}
