import { readdir } from "node:fs/promises";
import { DrybagError } from "@drybag/errors";
import { type InstalledRelease, readCurrentRelease } from "./current-release.ts";
import { type SitePaths, sitePaths } from "./site-paths.ts";

export interface InstalledStack {
  name: string;
  paths: SitePaths;
  current: InstalledRelease;
}

/** Names of the stacks in a folder that have a current release, sorted. */
export async function listStackNames(dir: string): Promise<string[]> {
  const names = await readdir(dir).catch(() => []);
  const found: string[] = [];
  for (const name of names.sort()) {
    const entries: string[] = await readdir(sitePaths(dir, name).root).catch(() => []);
    if (entries.includes("current")) found.push(name);
  }
  return found;
}

/** The stacks that a command means: the one that is named, else all. Throws `release-not-found`. */
export async function installedStacks(dir: string, name?: string): Promise<InstalledStack[]> {
  const names = await listStackNames(dir);
  if (names.length === 0) {
    throw new DrybagError("release-not-found", `No stack is installed in ${dir}.`, {
      hint: "Install one, or name the folder with --dir.",
    });
  }
  if (name !== undefined && !names.includes(name)) {
    throw new DrybagError("release-not-found", `The stack ${name} is not installed in ${dir}.`, {
      hint: `Here are: ${names.join(", ")}. Another folder is named with --dir.`,
    });
  }
  return Promise.all((name === undefined ? names : [name]).map((each) => readStack(dir, each)));
}

/** The one stack that a command is about; where there is only one, it need not be named. Throws `release-not-found`, `usage`. */
export async function theInstalledStack(dir: string, name?: string): Promise<InstalledStack> {
  const stacks = await installedStacks(dir, name);
  const [stack] = stacks;
  if (stack && stacks.length === 1) return stack;
  const names = stacks.map((each) => each.name).join(", ");
  throw new DrybagError("usage", `several stacks are installed in ${dir}: ${names}`, {
    hint: "name one of them",
  });
}

async function readStack(dir: string, name: string): Promise<InstalledStack> {
  const paths = sitePaths(dir, name);
  const current = await readCurrentRelease(paths);
  if (!current)
    throw new DrybagError("release-not-found", `The stack ${name} is no longer installed in ${dir}.`);
  return { name, paths, current };
}
