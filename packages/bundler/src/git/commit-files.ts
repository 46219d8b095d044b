import { createHash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import type { GitAddress } from "./git-address.ts";
import { type GitContext, runGit } from "./run-git.ts";

/** The files of one commit of a repository elsewhere. */
export interface CommitFiles {
  /** Paths with the git object names of their contents; submodules are left out. */
  files: ReadonlyMap<string, string>;
  /** A text file; undefined where there is none. */
  read(file: string): Promise<string | undefined>;
}

/**
 * Gets one commit without its history, and without the contents of its files where the server can do so (partial clone). Kept below
 * `directory`, so that it is asked for once. undefined where the repository does not have the commit or does not give it.
 */
export async function fetchCommitFiles(
  address: GitAddress,
  commit: string,
  ref: string | undefined,
  directory: string,
  context: GitContext,
): Promise<CommitFiles | undefined> {
  const folder = await openRepository(address, directory, context);
  const git = (...args: string[]) => runGit(context, ["-C", folder, ...args], { address });
  const isThere = async () => {
    // Without promising objects: this must not go and fetch it.
    const { exitCode } = await runGit({ ...context, env: { ...context.env, GIT_NO_LAZY_FETCH: "1" } }, [
      ...["-C", folder, "cat-file", "-e", `${commit}^{tree}`],
    ]);
    return exitCode === 0;
  };
  const fetch = (wanted: string) =>
    git(
      "fetch",
      "--quiet",
      "--depth=1",
      "--filter=blob:none",
      "--no-tags",
      "--no-write-fetch-head",
      "origin",
      wanted,
    );
  if (!(await isThere())) {
    await fetch(commit);
    // Old servers give only what has a name.
    if (!(await isThere()) && ref !== undefined) await fetch(ref);
    if (!(await isThere())) return undefined;
  }
  const tree = await git("ls-tree", "-r", "-z", commit);
  if (tree.exitCode !== 0) return undefined;
  return {
    files: parseTree(tree.stdout),
    async read(file) {
      const { exitCode, stdout } = await git("cat-file", "blob", `${commit}:${file}`);
      return exitCode === 0 ? stdout : undefined;
    },
  };
}

async function openRepository(address: GitAddress, directory: string, context: GitContext): Promise<string> {
  const name = createHash("sha256").update(address.url).digest("hex").slice(0, 16);
  const folder = path.join(directory, `${name}.git`);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await runGit(context, ["init", "--quiet", "--bare", folder]);
  // Its address is written down, without credentials: lazy fetching wants a named remote.
  for (const [key, value] of [
    ["remote.origin.url", address.url],
    ["remote.origin.promisor", "true"],
    ["remote.origin.partialclonefilter", "blob:none"],
  ] as const) {
    await runGit(context, ["-C", folder, "config", key, value]);
  }
  return folder;
}

/** `100644 blob <object>\t<path>`, ended by NUL. */
function parseTree(text: string): Map<string, string> {
  const files = new Map<string, string>();
  for (const entry of text.split("\0")) {
    const [, object, file] = /^\d+ blob ([0-9a-f]+)\t(.+)$/s.exec(entry) ?? [];
    if (object !== undefined && file !== undefined) files.set(file, object);
  }
  return files;
}
