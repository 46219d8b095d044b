import { readdir } from "node:fs/promises";
import {
  type ComposeModel,
  type DockerContext,
  inspectVolume,
  readVolumeSizes,
  type VolumeFacts,
} from "@drybag/docker";
import { DrybagError } from "@drybag/errors";
import type { BackupRules } from "@drybag/format";
import { formatBytes } from "@drybag/terminal";
import { existingParent, freeBytes } from "../preflight/preflight-disk.ts";
import type { SitePaths } from "../site/site-paths.ts";
import { type BackupRecord, backupBytes, backupTarBytes } from "./backup-record.ts";

/** What a backup will hold. */
export interface BackupPlan {
  volumes: { key: string; facts: VolumeFacts }[];
  /** Folder with what services wrote beside volumes; undefined where there is nothing in it, or the engine is elsewhere. */
  data: string | undefined;
  /** As far as the engine tells sizes. */
  expectedBytes: number;
}

/** Keys of the volumes that belong into a backup. Those of somebody else only where they are named. Pure. */
export function volumesToKeep(
  volumes: NonNullable<ComposeModel["volumes"]>,
  { volumes: named, exclude = [] }: Partial<BackupRules>,
): string[] {
  return Object.entries(volumes)
    .filter(([key, volume]) => (named === undefined ? !volume?.external : named.includes(key)))
    .map(([key]) => key)
    .filter((key) => !exclude.includes(key))
    .sort();
}

export async function planBackup(input: {
  docker: DockerContext;
  engineIsLocal: boolean;
  projectName: string;
  model: ComposeModel;
  rules: Partial<BackupRules>;
  paths: SitePaths;
  signal: AbortSignal;
}): Promise<BackupPlan> {
  const { docker, model, projectName, rules, paths, signal } = input;
  const volumes: BackupPlan["volumes"] = [];
  for (const key of volumesToKeep(model.volumes ?? {}, rules)) {
    const facts = await inspectVolume(docker, volumeName(model, projectName, key), { signal });
    if (facts !== undefined) volumes.push({ key, facts });
  }
  const hasData = input.engineIsLocal && (await readdir(paths.data).catch(() => [])).length > 0;
  const sizes = volumes.length === 0 ? new Map() : await readVolumeSizes(docker, { signal });
  const expectedBytes = volumes.reduce((sum, { facts }) => sum + (sizes.get(facts.name) ?? 0), 0);
  return { volumes, data: hasData ? paths.data : undefined, expectedBytes };
}

/** As Compose calls it in the engine. */
export function volumeName(model: ComposeModel, projectName: string, key: string): string {
  return model.volumes?.[key]?.name ?? `${projectName}_${key}`;
}

/** Room for headers and for what grows while the engine counts. */
const MARGIN_BYTES = 16 * 1024 ** 2;

/**
 * Refuses a backup that the disk may not hold. How well this data compresses is known from the last backup; without one it is taken not
 * to compress at all. Throws `disk-full`.
 */
export async function requireRoom(
  folder: string,
  expectedBytes: number,
  earlier: readonly BackupRecord[],
): Promise<void> {
  const neededBytes = backupBytesNeeded(expectedBytes, earlier);
  const free = await freeBytes(await existingParent(folder));
  if (free === undefined || free >= neededBytes) return;
  throw new DrybagError(
    "disk-full",
    `A backup needs up to ${formatBytes(neededBytes)} free in ${folder}; there are ${formatBytes(free)}.`,
    {
      hint: `Make ${formatBytes(neededBytes - free)} more room there, or remove backups that are not needed.`,
    },
  );
}

/** Exported for its test. */
export function backupBytesNeeded(expectedBytes: number, earlier: readonly BackupRecord[]): number {
  const last = earlier.find((record) => backupTarBytes(record) > 0);
  const ratio = last === undefined ? 1 : Math.min(1, (backupBytes(last) / backupTarBytes(last)) * 1.25);
  return Math.ceil(expectedBytes * ratio) + MARGIN_BYTES;
}
