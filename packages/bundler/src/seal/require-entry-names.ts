import { DrybagError } from "@drybag/errors";
import { entryPathProblem } from "@drybag/format";

/** Refuses, before any work is done, files whose names cannot stand in a bundle. Throws `file-name-invalid` with all of them. */
export function requireEntryNames(files: readonly { entry: string; source?: string }[]): void {
  const problems = files.flatMap(({ entry }) => {
    const problem = entryPathProblem(entry);
    return problem === undefined ? [] : [`${JSON.stringify(entry.replace(/^project\//, ""))} ${problem}`];
  });
  if (problems.length === 0) return;
  throw new DrybagError("file-name-invalid", "The project has files whose names cannot be carried.", {
    detail: problems.join("\n"),
    hint: "Rename them. Other systems could not hold them, or would show something else.",
  });
}
