import { chown, readFile, realpath, stat } from "node:fs/promises";
import path from "node:path";
import { DrybagError } from "@drybag/errors";
import { writeFileAtomically } from "@drybag/format";
import { lineDiff } from "./line-diff.ts";
import { applyEdits, type TextEdit } from "./text-edit.ts";

/** A file as it was and as it will be. */
export interface EditedFile {
  file: string;
  before: string;
  after: string;
  /** Unified, with paths relative to the working folder. */
  diff: string;
}

/** Works out what files will be like; writes nothing. Throws `place-unknown`, `file-unreadable`. */
export async function planFiles(edits: readonly TextEdit[], cwd: string): Promise<EditedFile[]> {
  const byFile = Map.groupBy(edits, ({ place }) => place.position.file);
  const files: EditedFile[] = [];
  for (const [file, own] of byFile) {
    const before = await readFile(file, "utf8").catch((cause) => {
      throw new DrybagError("file-unreadable", `${file} cannot be read.`, { cause });
    });
    const after = applyEdits(before, own);
    files.push({ file, before, after, diff: lineDiff(path.relative(cwd, file), before, after) });
  }
  return files.filter(({ before, after }) => before !== after);
}

/** Writes them, each at once and whole, with the rights and the owner that it had. Throws `not-writable`, `disk-full`. */
export async function writeFiles(files: readonly EditedFile[]): Promise<void> {
  for (const { file, after } of files) {
    // A link stays one: what it points to is written.
    const target = await realpath(file);
    const { mode, uid, gid } = await stat(target);
    await writeFileAtomically(target, after, { mode: mode & 0o7777 });
    // Only root can give files away, and only root writes files of others here.
    await chown(target, uid, gid).catch(() => undefined);
  }
}
