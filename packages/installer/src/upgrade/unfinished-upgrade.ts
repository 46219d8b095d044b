import { readFile, rm } from "node:fs/promises";
import { DrybagError } from "@drybag/errors";
import { writeFileAtomically } from "@drybag/format";
import type { SitePaths } from "../site/site-paths.ts";

/** An upgrade that may have changed data, and is neither committed nor undone. */
export interface UnfinishedUpgrade {
  release: string;
  previousRelease: string;
  /** Name of the backup with the data as the previous release left it; null where none was wanted. */
  backup: string | null;
  /** Tasks of the new release that have succeeded. */
  tasksDone: string[];
  /** The task that was begun last and has not succeeded: nobody knows how far it came. */
  taskRunning: string | null;
}

export async function readUnfinishedUpgrade(paths: SitePaths): Promise<UnfinishedUpgrade | undefined> {
  try {
    return JSON.parse(await readFile(paths.upgrade, "utf8")) as UnfinishedUpgrade;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

export async function noteUpgrade(paths: SitePaths, upgrade: UnfinishedUpgrade): Promise<void> {
  await writeFileAtomically(paths.upgrade, `${JSON.stringify(upgrade)}\n`, { mode: 0o600 });
}

export async function forgetUpgrade(paths: SitePaths): Promise<void> {
  await rm(paths.upgrade, { force: true });
}

/** Data that may be half another release's is not to be kept or worked on. Throws `upgrade-unfinished`. */
export async function refuseUnfinishedUpgrade(paths: SitePaths, stack: string): Promise<void> {
  const upgrade = await readUnfinishedUpgrade(paths);
  if (upgrade === undefined) return;
  throw new DrybagError("upgrade-unfinished", `An upgrade of ${stack} to ${upgrade.release} was cut off.`, {
    hint: `Install its bundle again to finish it, or run 'drybag-site rollback ${stack}' to have ${upgrade.previousRelease} back.`,
  });
}
