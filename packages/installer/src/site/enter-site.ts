import { mkdir, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { isDrybagError } from "@drybag/errors";
import { removePartialReleases } from "../release/stage-release.ts";
import { type InstalledRelease, readCurrentRelease } from "./current-release.ts";
import { lockSite } from "./site-lock.ts";
import { partialName, type SitePaths } from "./site-paths.ts";

/** A stack's folder while one install has it to itself. Leaving it removes what was not finished. */
export interface EnteredSite extends AsyncDisposable {
  paths: SitePaths;
  /** Where the release is read to. */
  stagedFolder: string;
  /** Where it will be. */
  finalFolder: string;
  /** The release that runs now. */
  previous: InstalledRelease | undefined;
}

/** Locks the stack and removes what installs that were cut off have left. Throws `already-running`. */
export async function enterSite(paths: SitePaths, release: string): Promise<EnteredSite> {
  const lock = await lockSite(paths.lock);
  try {
    await mkdir(paths.releases, { recursive: true });
    await removeLeftovers(paths);
    return {
      paths,
      stagedFolder: join(paths.releases, partialName(release)),
      finalFolder: join(paths.releases, release),
      previous: await readPrevious(paths),
      [Symbol.asyncDispose]: () => leaveSite(paths, lock.release),
    };
  } catch (error) {
    await leaveSite(paths, lock.release);
    throw error;
  }
}

/** A release whose folder is broken cannot be returned to, but it must not keep a new one from being installed. */
async function readPrevious(paths: SitePaths): Promise<InstalledRelease | undefined> {
  try {
    return await readCurrentRelease(paths);
  } catch (error) {
    if (isDrybagError(error, "release-not-found")) return undefined;
    throw error;
  }
}

async function leaveSite(paths: SitePaths, unlock: () => Promise<void>): Promise<void> {
  await removeLeftovers(paths);
  await unlock();
  // A first install that changed nothing leaves no empty folders either.
  for (const folder of [paths.releases, paths.root]) await rmdir(folder).catch(() => undefined);
}

async function removeLeftovers(paths: SitePaths): Promise<void> {
  await removePartialReleases(paths.releases);
  for (const file of [`${paths.current}.new`, `${paths.answers}.partial`]) await rm(file, { force: true });
}
