import { mkdir, open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";
import type { LabPlan } from "./lab-plan.ts";

/** The plan of a lab that is there; undefined when there is none, or none that can be read. */
export async function readLabRecord(file: string): Promise<LabPlan | undefined> {
  const record = await readJsonFile<LabPlan>(file);
  return record?.version === 1 && Array.isArray(record.engines) ? record : undefined;
}

export async function readJsonFile<T>(file: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as T;
  } catch {
    return undefined;
  }
}

/** Temporary name, fsync, rename: a killed `up` leaves the old record or the new one. */
export async function writeJsonFile(file: string, value: unknown): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}.tmp`;
  const handle = await open(temporary, "w");
  try {
    await handle.writeFile(`${JSON.stringify(value, null, 2)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
}
