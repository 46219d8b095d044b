import { mkdir, readFile } from "node:fs/promises";
import path from "node:path";
import { type BuildProvenance, writeFileAtomically } from "@drybag/format";

/**
 * What images of this machine were built from, by image ID: so that `pack --no-build` can tell it of what `build` made before.
 * An ID stands for its content, so a record is never out of date.
 */
export async function keepRecord(
  stateDirectory: string,
  id: string,
  provenance: BuildProvenance,
): Promise<void> {
  const file = recordFile(stateDirectory, id);
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  await writeFileAtomically(file, `${JSON.stringify(provenance)}\n`);
}

/** undefined where Drybag did not build it here. */
export async function readRecord(stateDirectory: string, id: string): Promise<BuildProvenance | undefined> {
  const text = await readFile(recordFile(stateDirectory, id), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as BuildProvenance;
  } catch {
    return undefined;
  }
}

function recordFile(stateDirectory: string, id: string): string {
  return path.join(stateDirectory, "built", `${id.replace(/[^a-z0-9]+/gi, "-")}.json`);
}
