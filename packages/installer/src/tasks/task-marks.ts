import { readFile, rm } from "node:fs/promises";
import { writeFileAtomically } from "@drybag/format";

/** What tasks have done to the data that the site has now. Goes with the data. */
export interface TaskMarks {
  /** When each task that runs once has succeeded. */
  once: Record<string, string>;
  /** Tasks of the first install that have succeeded so far. */
  firstInstall: string[];
  /** All of them have. */
  firstInstallDone: boolean;
}

export const NO_MARKS: TaskMarks = { once: {}, firstInstall: [], firstInstallDone: false };

export async function readMarks(path: string): Promise<TaskMarks> {
  try {
    return { ...NO_MARKS, ...(JSON.parse(await readFile(path, "utf8")) as Partial<TaskMarks>) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return NO_MARKS;
    throw error;
  }
}

export async function writeMarks(path: string, marks: TaskMarks): Promise<void> {
  await writeFileAtomically(path, `${JSON.stringify(marks, undefined, 2)}\n`, { mode: 0o600 });
}

/** The data is that of an installed site from now on, whatever tasks a later release has for a first install. */
export async function markFirstInstallDone(path: string): Promise<void> {
  const marks = await readMarks(path);
  if (!marks.firstInstallDone) await writeMarks(path, { ...marks, firstInstallDone: true });
}

export async function removeMarks(path: string): Promise<void> {
  await rm(path, { force: true });
}
