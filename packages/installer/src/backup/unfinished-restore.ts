import { readFile, rm } from "node:fs/promises";
import { DrybagError } from "@drybag/errors";
import { writeFileAtomically } from "@drybag/format";
import type { SitePaths } from "../site/site-paths.ts";

/** A restore that has begun to change data, and is not known to have ended. */
export interface UnfinishedRestore {
  /** Absolute folder of the backup that is being restored. */
  folder: string;
  /** Name of the backup with the data that was there before; null where there was none. */
  aside: string | null;
}

const fileOf = ({ root }: SitePaths) => `${root}/restore.json`;

export async function readUnfinishedRestore(paths: SitePaths): Promise<UnfinishedRestore | undefined> {
  try {
    return JSON.parse(await readFile(fileOf(paths), "utf8")) as UnfinishedRestore;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

export async function noteRestore(paths: SitePaths, restore: UnfinishedRestore): Promise<void> {
  await writeFileAtomically(fileOf(paths), `${JSON.stringify(restore)}\n`, { mode: 0o600 });
}

export async function forgetRestore(paths: SitePaths): Promise<void> {
  await rm(fileOf(paths), { force: true });
}

/** Nothing else may be done to data that is half of one backup and half of another. Throws `restore-unfinished`. */
export async function refuseUnfinishedRestore(paths: SitePaths, stack: string): Promise<void> {
  const restore = await readUnfinishedRestore(paths);
  if (restore === undefined) return;
  const back =
    restore.aside === null
      ? ""
      : `, or 'drybag-site restore ${restore.aside} --name ${stack}' to have the data before`;
  throw new DrybagError("restore-unfinished", `A restore of ${stack} was cut off: its data is not whole.`, {
    hint: `Run 'drybag-site restore --from ${restore.folder} --name ${stack}' to finish it${back}.`,
  });
}
