import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { DrybagError, isDrybagError } from "@drybag/errors";
import { type InstalledRelease, readRelease } from "../site/current-release.ts";
import type { InstalledStack } from "../site/installed-stacks.ts";
import { committedReleases, readJournal } from "../site/journal.ts";
import { isPartialName, REPORT_FILE, type SitePaths } from "../site/site-paths.ts";

export interface ReleaseLine {
  release: string;
  version: string | null;
  /** `current`: it runs. `previous`: `rollback` goes there. `failed`: it was never healthy. `broken`: its folder cannot be read. */
  state: "current" | "previous" | "kept" | "failed" | "broken";
  installedAt: string | null;
  signer: string | null;
}

/** All releases of a stack: the one that runs first, then those that ran before, the last one first, then the others. */
export async function listReleases({ paths, current }: InstalledStack): Promise<ReleaseLine[]> {
  const names = await releaseNames(paths);
  const history = committedReleases(await readJournal(paths.journal));
  const previous = previousRelease(history, current.name, names);
  const rank = (name: string) =>
    name === current.name ? Number.POSITIVE_INFINITY : history.lastIndexOf(name);
  const lines = names
    .sort((a, b) => rank(b) - rank(a) || (a < b ? -1 : 1))
    .map(async (name): Promise<ReleaseLine> => {
      const { manifest } = (await readReadable(paths, name)) ?? {};
      const { startedAt = null, signer = null } = await readReport(join(paths.releases, name, REPORT_FILE));
      const healthy = name === previous ? "previous" : history.includes(name) ? "kept" : "failed";
      const state = name === current.name ? "current" : manifest ? healthy : "broken";
      return { release: name, version: manifest?.version ?? null, state, installedAt: startedAt, signer };
    });
  return Promise.all(lines);
}

export async function releaseNames(paths: SitePaths): Promise<string[]> {
  const names = await readdir(paths.releases);
  return names.filter((name) => !isPartialName(name)).sort();
}

/** The release that ran before the current one and is still here; undefined where there is none. Pure. */
export function previousRelease(
  history: readonly string[],
  current: string,
  present: readonly string[],
): string | undefined {
  return history.findLast((name) => name !== current && present.includes(name));
}

/**
 * The release that was meant: by its name, or by the beginning of it that only one has, such as its version. As it was typed where there
 * is none; throws `usage` where there are several. Pure.
 */
export function chooseRelease(typed: string, present: readonly string[]): string {
  if (present.includes(typed)) return typed;
  const meant = present.filter((name) => name.startsWith(`${typed}-`));
  if (meant.length > 1) {
    throw new DrybagError("usage", `several releases are meant by ${typed}: ${meant.join(", ")}`, {
      hint: "give the whole name",
    });
  }
  return meant[0] ?? typed;
}

export async function readReadable(paths: SitePaths, name: string): Promise<InstalledRelease | undefined> {
  return readRelease(paths, name).catch((error: unknown) => {
    if (isDrybagError(error, "release-not-found")) return undefined;
    throw error;
  });
}

async function readReport(path: string): Promise<{ startedAt?: string | null; signer?: string | null }> {
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch {
    return {};
  }
}
