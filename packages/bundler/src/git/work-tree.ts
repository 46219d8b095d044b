import { existsSync } from "node:fs";
import path from "node:path";
import { type GitContext, runGit } from "./run-git.ts";

/** The commit that a project is at. */
export interface ProjectCommit {
  /** 40 digits. */
  commit: string;
  /** The commit's own day, wherever it is built: `20251118`. */
  date: string;
  /** Undefined where no branch is checked out, as on many CI runners. */
  branch: string | undefined;
  /** Files that are not committed, relative to the folder. */
  dirty: string[];
}

/** The commit of the git work tree that a folder lies in; undefined outside git. Throws `git-missing`. */
export async function readProjectCommit(
  folder: string,
  context: GitContext,
): Promise<ProjectCommit | undefined> {
  const git = async (...args: string[]) => {
    const { exitCode, stdout } = await runGit(context, ["-C", folder, ...args]);
    return exitCode === 0 ? stdout : undefined;
  };
  const last = await git("log", "-1", "--format=%cd-%H", "--date=format:%Y%m%d");
  const [, date, commit] = /^(\d{8})-([0-9a-f]{40})/.exec(last ?? "") ?? [];
  if (date === undefined || commit === undefined) return undefined;
  const branch = await git("symbolic-ref", "--quiet", "--short", "HEAD");
  const status = await git("status", "--porcelain", "-z", "--untracked-files=normal", "--", ".");
  const root = (await git("rev-parse", "--show-toplevel")) ?? folder;
  return { commit, date, branch, dirty: changedFiles(status ?? "", root, folder) };
}

/** Carry folders are what packing makes of the project, not part of it. */
function changedFiles(status: string, root: string, folder: string): string[] {
  // With -z the old name of a renamed file is an entry of its own, without a state in front.
  const entries = status.split("\0").filter((entry) => /^[ MTADRCU?!]{2} /.test(entry));
  const files = entries.map((entry) => path.join(root, entry.slice(3)));
  return files.filter((file) => !isCarryFolder(file)).map((file) => path.relative(folder, file));
}

function isCarryFolder(file: string): boolean {
  return existsSync(path.join(file, "SHA256SUMS")) && existsSync(path.join(file, "install.sh"));
}
