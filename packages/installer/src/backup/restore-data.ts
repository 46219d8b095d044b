import { mkdir, rename, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import {
  type ComposeModel,
  composeDown,
  type DockerContext,
  inspectVolume,
  openVolume,
  removeContainer,
  removeVolume,
  type VolumeFacts,
} from "@drybag/docker";
import type { Manifest } from "@drybag/format";
import type { StageReport } from "@drybag/terminal";
import { appendToJournal } from "../site/journal.ts";
import type { SitePaths } from "../site/site-paths.ts";
import { writeMarks } from "../tasks/task-marks.ts";
import { readArchive, verifyArchive } from "./archive-file.ts";
import {
  type ArchiveRecord,
  archivesOf,
  type BackupRecord,
  backupBytes,
  backupTarBytes,
  placeName,
  type VolumeRecord,
} from "./backup-record.ts";
import { type ClearPlan, clearVolume, isInMemory, planClearing } from "./clear-volumes.ts";
import { planDetaching } from "./detach-unnamed.ts";
import { volumeName } from "./plan-backup.ts";
import { anyImage, helper } from "./volume-helper.ts";

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
 * and has what is there in another. Cut off, it is begun again: nothing of the backup changes. Volumes without a name wait for
 * the containers that are started next. Throws `restore-refused` before anything is touched.
 */
export async function restoreData(input: DataToRestore): Promise<void> {
  const { docker, projectName, manifest, paths, record, report, signal } = input;
  const image = await anyImage(docker, manifest, signal);
  const onBytes = meter(report, backupTarBytes(record));
  const targets = await targetsOf(input);
  const clearing = await planClearing(
    targets.map(({ facts }) => facts),
    input,
  );
  const detached = await planDetaching(input);
  const { volumes, toRemove } = detached;
  await appendToJournal(paths.journal, { step: "volumes-detached", volumes, toRemove });
  await composeDown(docker, projectName, { signal });
  // One that a killed command left would hold on to a volume.
  await removeContainer(docker, helper(projectName).name, { signal });
  const fill = (source: string, { archive }: ArchiveRecord, folder?: string) =>
    fillVolume({ ...input, source, folder, image, path: join(input.folder, archive), onBytes });
  for (const { volume, facts } of targets) {
    report.message(`volume ${volume.key}`);
    await clearVolume(facts, clearing, input);
    await fill(facts.name, volume);
  }
  for (const { name, target, ...place } of volumes) {
    const content = detached.contents.get(name);
    if (content === undefined) continue;
    report.message(`volume ${placeName({ target, ...place })}`);
    await clearVolume(unnamedVolume(name), NOTHING_TO_EMPTY, input);
    await fill(name, content, basename(target));
  }
  for (const place of detached.leftOut)
    report.message(`${placeName(place)} is left out: this release has no volume there`);
  for (const { name } of toRemove)
    if (await inspectVolume(docker, name, { signal })) await removeVolume(docker, name, { signal });
  if (record.data !== null) {
    await makeEmpty(paths.data);
    await fill(paths.data, record.data);
  }
  await writeMarks(paths.marks, record.marks);
}

const NOTHING_TO_EMPTY: ClearPlan = { toEmpty: new Set(), image: undefined };

/** As the engine makes one; it removes such a volume with its container. */
function unnamedVolume(name: string): VolumeFacts {
  return { name, driver: "local", labels: { "com.docker.volume.anonymous": "" }, options: {} };
}

/** Says before anything is touched whether the data of a backup can be put in the place of what is there. Throws `restore-refused`. */
export async function requireRestorable(
  input: Pick<DataToRestore, "docker" | "projectName" | "model" | "manifest" | "record" | "signal">,
): Promise<void> {
  const targets = await targetsOf(input);
  await planClearing(
    targets.map(({ facts }) => facts),
    input,
  );
}

/** The volumes that the data goes into, as they are here or else as they were. */
async function targetsOf({
  docker,
  projectName,
  model,
  record,
  signal,
}: Pick<DataToRestore, "docker" | "projectName" | "model" | "record" | "signal">): Promise<
  { volume: VolumeRecord; facts: VolumeFacts }[]
> {
  const targets = [];
  for (const volume of record.volumes) {
    const name = volumeName(model, projectName, volume.key);
    const { driver, labels, options } = (await inspectVolume(docker, name, { signal })) ?? volume;
    const facts = { name, driver, labels, options };
    if (!isInMemory(facts)) targets.push({ volume, facts });
  }
  return targets;
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
  folder: string | undefined;
  image: string;
  path: string;
  onBytes(bytes: number): void;
  signal: AbortSignal;
}): Promise<void> {
  const { docker, projectName, source, folder, image, path, onBytes, signal } = input;
  const into = { source, image, ...(folder === undefined ? {} : { folder }), ...helper(projectName) };
  await using volume = await openVolume(docker, into, { signal });
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
