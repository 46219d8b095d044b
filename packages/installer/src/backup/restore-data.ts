import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import {
  type ComposeModel,
  composeDown,
  createVolume,
  type DockerContext,
  inspectVolume,
  openVolume,
  removeContainer,
  removeVolume,
  type VolumeFacts,
} from "@drybag/docker";
import { DrybagError } from "@drybag/errors";
import type { Manifest } from "@drybag/format";
import type { StageReport } from "@drybag/terminal";
import type { SitePaths } from "../site/site-paths.ts";
import { writeMarks } from "../tasks/task-marks.ts";
import { readArchive, verifyArchive } from "./archive-file.ts";
import {
  type ArchiveRecord,
  type BackupRecord,
  backupBytes,
  backupTarBytes,
  type VolumeRecord,
} from "./backup-record.ts";
import { anyImage, helper } from "./make-backup.ts";
import { volumeName } from "./plan-backup.ts";

/** Reads every archive of a backup. Throws `backup-damaged`. */
export async function verifyBackup(
  folder: string,
  record: BackupRecord,
  report: StageReport,
  signal: AbortSignal,
): Promise<void> {
  const onBytes = meter(report, backupBytes(record));
  for (const archive of archivesOf(record))
    await verifyArchive(join(folder, archive.archive), archive, { signal, onBytes });
}

function archivesOf({ volumes, data }: BackupRecord): ArchiveRecord[] {
  return data ? [...volumes, data] : volumes;
}

function meter(report: StageReport, totalBytes: number): (bytes: number) => void {
  let doneBytes = 0;
  return (bytes) => {
    doneBytes += bytes;
    report.bytes(doneBytes, totalBytes);
  };
}

export interface DataToRestore {
  docker: DockerContext;
  engineIsLocal: boolean;
  projectName: string;
  /** Of the release that the data is for. */
  model: ComposeModel;
  manifest: Manifest;
  paths: SitePaths;
  folder: string;
  record: BackupRecord;
  report: StageReport;
  signal: AbortSignal;
}

/**
 * Takes the stack's containers away, and puts the data of a backup in the place of what is there. Whoever calls has verified the backup,
 * and has what is there in another. Cut off, it is begun again: nothing of the backup changes.
 */
export async function restoreData(input: DataToRestore): Promise<void> {
  const { docker, projectName, manifest, paths, folder, record, report, signal } = input;
  const image = await anyImage(docker, manifest, signal);
  const onBytes = meter(report, backupTarBytes(record));
  const targets = await targetsOf(input);
  await composeDown(docker, projectName, { signal });
  // One that a killed command left would hold on to a volume.
  await removeContainer(docker, helper(projectName).name, { signal });
  const fill = (source: string, archive: ArchiveRecord) =>
    fillVolume({ docker, projectName, source, image, path: join(folder, archive.archive), onBytes, signal });
  for (const { volume, facts, isPresent } of targets) {
    report.message(`volume ${volume.key}`);
    // The engine cannot empty a volume; it can take it away and make one that is the same.
    if (isPresent) await removeVolume(docker, facts.name, { signal });
    await createVolume(docker, facts, { signal });
    await fill(facts.name, volume);
  }
  if (record.data !== null) {
    await makeEmpty(paths.data);
    await fill(paths.data, record.data);
  }
  await writeMarks(paths.marks, record.marks);
}

interface Target {
  volume: VolumeRecord;
  facts: VolumeFacts;
  isPresent: boolean;
}

/** The volumes that the data goes into, as they are here or else as they were. Throws `restore-refused` before anything is touched. */
async function targetsOf({ docker, projectName, model, record, signal }: DataToRestore): Promise<Target[]> {
  const targets: Target[] = [];
  for (const volume of record.volumes) {
    const name = volumeName(model, projectName, volume.key);
    const present = await inspectVolume(docker, name, { signal });
    const { driver, labels, options } = present ?? volume;
    if (Object.keys(options).length > 0) throw ownPlace(name, options);
    targets.push({ volume, facts: { name, driver, labels, options }, isPresent: present !== undefined });
  }
  return targets;
}

function ownPlace(name: string, options: Record<string, string>): DrybagError {
  return new DrybagError("restore-refused", `The volume ${name} lies on a device or folder of its own.`, {
    detail: `options: ${JSON.stringify(options)}`,
    hint: "Its data stays when the volume goes, so it cannot be emptied from here. Stop the stack, empty it, and unpack its archive into it by hand: 'zstd -dc FILE | tar -x --strip-components=1 -C FOLDER'.",
  });
}

/** Renamed first, so that what cannot be removed is at least out of the way. */
async function makeEmpty(data: string): Promise<void> {
  const old = `${data}.old`;
  await rm(old, { recursive: true, force: true });
  await rename(data, old).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
  });
  await mkdir(data, { recursive: true });
  await rm(old, { recursive: true, force: true });
}

async function fillVolume(input: {
  docker: DockerContext;
  projectName: string;
  source: string;
  image: string;
  path: string;
  onBytes(bytes: number): void;
  signal: AbortSignal;
}): Promise<void> {
  const { docker, projectName, source, image, path, onBytes, signal } = input;
  await using volume = await openVolume(docker, { source, image, ...helper(projectName) }, { signal });
  const { archive, done } = volume.write({ signal });
  done.catch(() => undefined);
  try {
    await readArchive(path, archive, { signal, onBytes });
  } catch (error) {
    signal.throwIfAborted();
    // Where the client ended before, it knows why.
    archive.destroy();
    await done;
    throw error;
  }
  await done;
}
