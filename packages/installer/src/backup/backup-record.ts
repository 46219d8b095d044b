import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { UnnamedPlace, UnnamedVolume } from "@drybag/docker";
import { DrybagError } from "@drybag/errors";
import { CHECKSUMS_FILE, parseChecksums, sha256Hex, writeChecksums } from "@drybag/format";
import { NO_MARKS, type TaskMarks } from "../tasks/task-marks.ts";

/** `backup.json`: what a backup holds, and of what. Written last: a folder without it is none. */
export interface BackupRecord {
  backupVersion: 1;
  /** Name of its folder: when it was made. */
  name: string;
  stack: string;
  release: string;
  version: string;
  /** Identity of the bundle whose data this is. */
  manifestSha256: string;
  reason: BackupReason;
  /** `stopped`: nothing wrote meanwhile. `dump`: the stack ran on, after that task had written a dump. */
  consistency: "stopped" | "dump";
  dumpTask: string | null;
  startedAt: string;
  finishedAt: string;
  volumes: VolumeRecord[];
  /** Those without a name; no place of them where they were left out. */
  unnamed: UnnamedRecord[];
  /** What services wrote into folders that were empty in the bundle; null where there is nothing. */
  data: ArchiveRecord | null;
  /** What tasks had done to this data. */
  marks: TaskMarks;
}

export type BackupReason = "by-hand" | "upgrade" | "restore" | "rollback";

export interface ArchiveRecord {
  /** File in the folder of the backup: a tar, compressed with zstd. */
  archive: string;
  /** Of the file. */
  sizeBytes: number;
  /** Of the file, in hex. */
  sha256: string;
  /** Of the tar. */
  tarBytes: number;
}

export interface VolumeRecord extends ArchiveRecord {
  /** Key in the Compose files. */
  key: string;
  /** Name that it had in the engine. */
  name: string;
  driver: string;
  labels: Record<string, string>;
  options: Record<string, string>;
}

/** The volume without a name that a container had somewhere, with the name that the engine had made up for it. */
export interface UnnamedRecord extends UnnamedVolume {
  /** Null where it held what the image has there, and nothing else. */
  content: ArchiveRecord | null;
}

export const BACKUP_RECORD = "backup.json";
/** The site's answers at the time: the data may hold passwords that they name. */
export const BACKUP_ANSWERS = "site.env";

const PARTIAL = /^\..+\.partial$/;

export function partialBackup(name: string): string {
  return `.${name}.partial`;
}

export function isPartialBackup(name: string): boolean {
  return PARTIAL.test(name);
}

/** A name that sorts by time, and that a file system takes. */
export function backupName(now: Date): string {
  return now.toISOString().replace(/[-:]/g, "").replace(/\.\d+/, "");
}

/** Writes SHA256SUMS over all that is in a backup: any server can check a copy with `sha256sum -c`. */
export async function sealBackup(folder: string, record: BackupRecord): Promise<void> {
  const documents = (await readdir(folder)).filter(
    (name) => name === BACKUP_RECORD || name === BACKUP_ANSWERS,
  );
  const files = documents.map(async (name) => ({
    name,
    sha256: sha256Hex(await readFile(join(folder, name))),
  }));
  const archives = archivesOf(record).map((archive) => ({ name: archive.archive, sha256: archive.sha256 }));
  await writeChecksums(folder, [...(await Promise.all(files)), ...archives]);
}

/** Whether `backup.json` is as it was written; backups had no SHA256SUMS once. */
async function isAsWritten(folder: string, bytes: Buffer): Promise<boolean> {
  const checksums = await readFile(join(folder, CHECKSUMS_FILE), "utf8").catch(() => undefined);
  if (checksums === undefined) return true;
  try {
    return parseChecksums(checksums).get(BACKUP_RECORD) === sha256Hex(bytes);
  } catch {
    return false;
  }
}

/** Reads and checks `backup.json`. Throws `backup-damaged`, `backup-not-found`. */
export async function readBackup(folder: string): Promise<BackupRecord> {
  let bytes: Buffer;
  try {
    bytes = await readFile(join(folder, BACKUP_RECORD));
  } catch (error) {
    throw new DrybagError("backup-not-found", `There is no backup in ${folder}.`, {
      cause: error,
      hint: `A backup is a folder with ${BACKUP_RECORD} in it; 'drybag-site backups' lists those of this server.`,
    });
  }
  if (!(await isAsWritten(folder, bytes))) {
    throw new DrybagError(
      "backup-damaged",
      `${join(folder, BACKUP_RECORD)} is not what ${CHECKSUMS_FILE} beside it says.`,
      { hint: "Copy the backup again, with all that is in its folder." },
    );
  }
  const record = parseBackup(bytes.toString());
  if (record !== undefined) return record;
  throw new DrybagError("backup-damaged", `${join(folder, BACKUP_RECORD)} cannot be understood.`, {
    hint: "It was made by a newer drybag-site, or it is damaged: copy the backup again.",
  });
}

/** undefined where it is none of this version, or names files elsewhere. Exported for its test. */
export function parseBackup(text: string): BackupRecord | undefined {
  try {
    const record = JSON.parse(text) as BackupRecord;
    const isRecord =
      record.backupVersion === 1 &&
      [record.name, record.stack, record.release, record.version, record.manifestSha256].every(isText) &&
      (record.consistency === "stopped" || record.consistency === "dump") &&
      Array.isArray(record.volumes) &&
      record.volumes.every(isVolume) &&
      (record.unnamed ?? []).every(isUnnamed) &&
      (record.data === null || isArchive(record.data));
    if (!isRecord) return undefined;
    return { ...record, unnamed: record.unnamed ?? [], marks: { ...NO_MARKS, ...record.marks } };
  } catch {
    return undefined;
  }
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function isVolume(volume: VolumeRecord): boolean {
  return (
    isArchive(volume) &&
    [volume.key, volume.name, volume.driver].every(isText) &&
    isMap(volume.labels) &&
    isMap(volume.options)
  );
}

function isUnnamed({ service, number, target, name, content }: UnnamedRecord): boolean {
  const isPlace =
    [service, target, name].every(isText) && Number.isSafeInteger(number) && target.startsWith("/");
  return isPlace && (content === null || isArchive(content));
}

function isMap(value: unknown): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    Object.values(value).every((each) => typeof each === "string")
  );
}

function isArchive({ archive, sizeBytes, sha256, tarBytes }: ArchiveRecord): boolean {
  return (
    /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(archive) &&
    Number.isSafeInteger(sizeBytes) &&
    Number.isSafeInteger(tarBytes) &&
    /^[0-9a-f]{64}$/.test(sha256)
  );
}

/** The complete backups of a stack, the newest first. One that cannot be read is left out. */
export async function listBackups(backups: string): Promise<BackupRecord[]> {
  const names = await readdir(backups).catch(() => []);
  const records = await Promise.all(
    names
      .filter((name) => !isPartialBackup(name))
      .map((name) => readBackup(join(backups, name)).catch(() => undefined)),
  );
  return records
    .filter((record) => record !== undefined)
    .sort((a, b) => (a.name < b.name ? 1 : a.name > b.name ? -1 : 0));
}

/** Every archive of a backup. */
export function archivesOf({ volumes, unnamed, data }: BackupRecord): ArchiveRecord[] {
  const contents = unnamed.map(({ content }) => content).filter((content) => content !== null);
  return [...volumes, ...contents, ...(data ? [data] : [])];
}

export function backupBytes(record: BackupRecord): number {
  return archivesOf(record).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

export function backupTarBytes(record: BackupRecord): number {
  return archivesOf(record).reduce((sum, { tarBytes }) => sum + tarBytes, 0);
}

/** What a backup holds, in words: keys of volumes, places of those without a name, `data/`. */
export function contentsOf({ volumes, unnamed, data }: BackupRecord): string[] {
  return [...volumes.map(({ key }) => key), ...unnamed.map(placeName), ...(data ? ["data/"] : [])];
}

/** `db:/var/lib/db`, and which one where a service has several containers: `db-2:/var/lib/db`. */
export function placeName({ service, number, target }: UnnamedPlace): string {
  return `${service}${number === 1 ? "" : `-${number}`}:${target}`;
}
