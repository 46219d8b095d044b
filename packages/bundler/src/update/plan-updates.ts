import path from "node:path";
import { DrybagError } from "@drybag/errors";
import type { EditedFile } from "../bump/edit-files.ts";
import { lineDiff } from "../bump/line-diff.ts";
import type { DeclaredUpdate } from "../config/declared-updates.ts";
import { readNamedFile } from "../read-named-file.ts";
import { parseScalarPath, type ReplaceProblem, replaceScalar } from "./replace-scalar.ts";

/** First name and tag of what a build made, by the build's name. */
export type BuiltReferences = ReadonlyMap<string, string>;

/**
 * Works out what `update` of drybag.yaml changes; writes nothing, so that it can be asked before anything is built. Entries of builds
 * that were not built are passed over. Throws `file-missing`, `file-unreadable`, `place-unknown`.
 */
export async function planUpdates(
  updates: readonly DeclaredUpdate[],
  built: BuiltReferences,
  cwd: string,
): Promise<EditedFile[]> {
  const byFile = Map.groupBy(updates, ({ file }) => file);
  const files: EditedFile[] = [];
  for (const [file, own] of byFile) {
    const before = await readNamedFile(
      file,
      own[0] ? `${shown(own[0])}:` : `${file}:`,
      "Correct 'file' of this entry of drybag.yaml.",
    );
    const after = own.reduce((content, update) => {
      const reference = built.get(update.build);
      return reference === undefined ? content : updated(content, update, reference);
    }, before);
    if (after === before) continue;
    files.push({ file, before, after, diff: lineDiff(path.relative(cwd, file), before, after) });
  }
  return files;
}

function updated(content: string, update: DeclaredUpdate, reference: string): string {
  const colon = reference.lastIndexOf(":");
  const words = { image: reference.slice(0, colon), tag: reference.slice(colon + 1), reference };
  const text = update.value.replace(
    /\{(image|tag|reference)\}/g,
    (_, word: keyof typeof words) => words[word],
  );
  const result = replaceScalar(content, parseScalarPath(update.path), text);
  if ("content" in result) return result.content;
  throw new DrybagError("place-unknown", `${shown(update)}: ${WHY[result.problem](update)}.`, {
    hint: "Correct 'file' and 'path' of this entry. No file was changed.",
  });
}

const WHY: Record<ReplaceProblem, (update: DeclaredUpdate) => string> = {
  "no-such-path": ({ file, path: keys }) => `${file} has no ${keys}`,
  "not-plain": ({ file, path: keys }) => `${keys} of ${file} is no plain value`,
  unreadable: ({ file }) => `${file} is neither YAML nor JSON that can be read`,
};

function shown({ position: { file, line, column } }: DeclaredUpdate): string {
  return `${file}:${line}:${column}`;
}
