import { readdir, rm, rmdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { LabError } from "./lab-error.ts";
import type { LabPaths } from "./lab-paths.ts";

/** @throws LabError `lab-usage` for a folder that is not a lab's: with DRYBAG_LAB_DIR it could be anybody's. */
export async function requireOwnFolder(paths: LabPaths): Promise<void> {
  const record = basename(paths.recordFile);
  const entries = await readdir(paths.folder).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === "ENOENT") return [];
    throw new LabError("lab-usage", `cannot use ${paths.folder}: ${error.message}`, { cause: error });
  });
  // A record is the first thing that is written, under a temporary name, and the last one that is deleted.
  if (entries.includes(record) || entries.every((name) => name.startsWith(`${record}.`))) return;
  throw new LabError("lab-usage", `${paths.folder} is there, and it is not a lab`, {
    hint: "choose another DRYBAG_LAB_DIR or --name, or delete that folder",
  });
}

/** The record goes last, so that a deletion that was cut off is still known for a lab's. */
export async function deleteStateFolder(paths: LabPaths): Promise<void> {
  const record = basename(paths.recordFile);
  for (const name of await readdir(paths.folder).catch(() => [])) {
    if (name !== record) await rm(join(paths.folder, name), { recursive: true, force: true });
  }
  await rm(paths.recordFile, { force: true });
  await rmdir(paths.folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
  });
}
