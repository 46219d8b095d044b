import path from "node:path";
import { DrybagError } from "@drybag/errors";
import { PROJECT_PREFIX } from "@drybag/format";

/**
 * The smallest folder that holds the project directory and every file that must keep its place relative to it. It becomes
 * `project/` in the bundle. Throws `file-outside-project` when only the root of the file system would do.
 */
export function projectRoot(projectDirectory: string, files: readonly string[]): string {
  let root = projectDirectory;
  for (const file of files) {
    while (!isInside(root, file)) root = path.dirname(root);
    if (root === path.dirname(root)) {
      throw new DrybagError(
        "file-outside-project",
        `${file} has no folder in common with ${projectDirectory}.`,
        {
          hint: "Keep the project's files below one folder, so that they can be carried as they lie.",
        },
      );
    }
  }
  return root;
}

export function isInside(folder: string, file: string): boolean {
  const relative = path.relative(folder, file);
  return (
    relative === "" ||
    (!relative.startsWith(`..${path.sep}`) && relative !== ".." && !path.isAbsolute(relative))
  );
}

/** Name of the entry for a file of the project: `project/…`, with forward slashes. */
export function projectEntry(root: string, file: string): string {
  const relative = path.relative(root, file).split(path.sep).join("/");
  return relative === "" ? PROJECT_PREFIX.slice(0, -1) : PROJECT_PREFIX + relative;
}
