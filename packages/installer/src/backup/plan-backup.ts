import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import {
  type ComposeModel,
  type DockerContext,
  inspectVolume,
  listUnnamedVolumes,
  readVolumeSizes,
  type UnnamedMount,
  type UnnamedPlace,
  type VolumeFacts,
} from "@drybag/docker";
import { DrybagError } from "@drybag/errors";
import type { BackupRules } from "@drybag/format";
import { formatBytes } from "@drybag/terminal";
import { existingParent, freeBytes } from "../preflight/preflight-disk.ts";
import type { SitePaths } from "../site/site-paths.ts";
import { type BackupRecord, backupBytes, backupTarBytes } from "./backup-record.ts";
import { isInMemory } from "./clear-volumes.ts";

/** What a backup will hold. */
export interface BackupPlan {
  volumes: { key: string; facts: VolumeFacts }[];
  /** Those without a name. */
  unnamed: UnnamedMount[];
  /** Folder with what services wrote beside volumes; undefined where there is nothing in it, or the engine is elsewhere. */
  data: string | undefined;
  /** As far as the engine tells sizes, and the folder can be read. */
  expectedBytes: number;
}

/** Keys of the volumes that belong into a backup. Those of somebody else only where they are named; a whole one leaves nothing else out. Pure. */
export function volumesToKeep(
  volumes: NonNullable<ComposeModel["volumes"]>,
  { volumes: named, exclude = [] }: Partial<BackupRules>,
  isWhole = false,
): string[] {
  const isKept = (key: string, isExternal: boolean) => {
    if (isWhole) return !isExternal || named?.includes(key) === true;
    return (named === undefined ? !isExternal : named.includes(key)) && !exclude.includes(key);
  };
  return Object.entries(volumes)
    .filter(([key, volume]) => isKept(key, volume?.external === true))
    .map(([key]) => key)
    .sort();
}

/** Whether the volume without a name at this place belongs into a backup: it is called `SERVICE:/PATH` in the rules. Pure. */
export function isPlaceToKeep(
  { service, target }: UnnamedPlace,
  { volumes: named, exclude = [] }: Partial<BackupRules>,
): boolean {
  const name = `${service}:${target}`;
  return (named === undefined || named.includes(name)) && !exclude.includes(name);
}

/** Throws `docker-failed`. */
export async function planBackup(input: {
  docker: DockerContext;
  engineIsLocal: boolean;
  projectName: string;
  model: ComposeModel;
  rules: Partial<BackupRules>;
  isWhole: boolean;
  paths: SitePaths;
  signal: AbortSignal;
}): Promise<BackupPlan> {
  const { docker, model, projectName, rules, isWhole, paths, signal } = input;
  const volumes: BackupPlan["volumes"] = [];
  for (const key of volumesToKeep(model.volumes ?? {}, rules, isWhole)) {
    const facts = await inspectVolume(docker, volumeName(model, projectName, key), { signal });
    if (facts !== undefined && !isInMemory(facts)) volumes.push({ key, facts });
  }
  const unnamed = (await listUnnamedVolumes(docker, projectName, { signal })).filter(
    (each) => isWhole || isPlaceToKeep(each, rules),
  );
  const hasData = input.engineIsLocal && (await readdir(paths.data).catch(() => [])).length > 0;
  const names = [...volumes.map(({ facts }) => facts.name), ...unnamed.map(({ name }) => name)];
  const sizes = names.length === 0 ? new Map<string, number>() : await readVolumeSizes(docker, { signal });
  const dataBytes = hasData ? await folderBytes(paths.data) : 0;
  let expectedBytes = names.reduce((sum, name) => sum + (sizes.get(name) ?? 0), dataBytes);
  for (const { facts } of volumes) {
    // The engine does not count what lies in a folder of the server.
    const { device = "" } = facts.options;
    if (input.engineIsLocal && device.startsWith("/") && !sizes.has(facts.name))
      expectedBytes += await folderBytes(device);
  }
  return { volumes, unnamed, data: hasData ? paths.data : undefined, expectedBytes };
}

/** Of all files below, as long as they are; what cannot be seen is not counted. */
async function folderBytes(folder: string): Promise<number> {
  let sumBytes = 0;
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    const path = join(folder, name);
    const found = await lstat(path).catch(() => undefined);
    if (found?.isDirectory()) sumBytes += await folderBytes(path);
    else if (found?.isFile()) sumBytes += found.size;
  }
  return sumBytes;
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
