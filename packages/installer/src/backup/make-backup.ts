import { copyFile, mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { DockerContext } from "@drybag/docker";
import { fsyncDirectory, MANIFEST_ENTRY, sha256Hex, writeFileAtomically } from "@drybag/format";
import type { StageReport } from "@drybag/terminal";
import type { InstalledRelease } from "../site/current-release.ts";
import { appendToJournal } from "../site/journal.ts";
import type { SitePaths } from "../site/site-paths.ts";
import { readMarks } from "../tasks/task-marks.ts";
import { asDiskFull } from "./archive-file.ts";
import { archiveUnnamed, archiveVolume } from "./archive-volumes.ts";
import {
  type ArchiveRecord,
  BACKUP_ANSWERS,
  BACKUP_RECORD,
  type BackupReason,
  type BackupRecord,
  backupName,
  isPartialBackup,
  listBackups,
  partialBackup,
  sealBackup,
  type VolumeRecord,
} from "./backup-record.ts";
import type { BackupPlan } from "./plan-backup.ts";
import { anyImage } from "./volume-helper.ts";

export interface BackupToMake {
  docker: DockerContext;
  projectName: string;
  paths: SitePaths;
  /** The release whose data it is. */
  release: InstalledRelease;
  plan: BackupPlan;
  reason: BackupReason;
  /** The task that wrote a dump, where the stack runs on. */
  dumpTask: string | null;
  /** Backups to keep, this one included. */
  keep: number;
  report: StageReport;
  signal: AbortSignal;
}

/**
 * Archives what the plan names, one after another, through the engine. The backup has another name until all of it is on the disk; older
 * ones go afterwards. Whoever calls has stopped the stack, or has had a dump written. Throws `disk-full`, `docker-failed`.
 */
export async function makeBackup(input: BackupToMake): Promise<BackupRecord> {
  const { docker, projectName, paths, release, plan, reason, dumpTask, report, signal } = input;
  const startedAt = new Date();
  const name = await freeName(paths.backups, backupName(startedAt));
  const partial = join(paths.backups, partialBackup(name));
  await mkdir(partial, { recursive: true, mode: 0o700 });
  try {
    const image = await anyImage(docker, release.manifest, signal);
    let doneBytes = 0;
    const onBytes = (bytes: number) => {
      doneBytes += bytes;
      report.bytes(doneBytes, Math.max(plan.expectedBytes, doneBytes));
    };
    const common = { docker, projectName, image, onBytes, signal };
    const archive = (source: string, file: string): Promise<ArchiveRecord> =>
      archiveVolume({ ...common, source, path: join(partial, file) });
    const volumes: VolumeRecord[] = [];
    for (const { key, facts } of plan.volumes) {
      report.message(`volume ${key}`);
      volumes.push({ key, ...facts, ...(await archive(facts.name, `volume-${key}.tar.zst`)) });
    }
    const unnamed = await archiveUnnamed(plan.unnamed, {
      ...common,
      manifest: release.manifest,
      folder: partial,
      report,
    });
    const data = plan.data === undefined ? null : await archive(plan.data, "data.tar.zst");
    await copyFile(paths.answers, join(partial, BACKUP_ANSWERS)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
    });
    const manifestBytes = await readFile(join(release.folder, MANIFEST_ENTRY));
    const record: BackupRecord = {
      backupVersion: 1,
      name,
      stack: projectName,
      release: release.name,
      version: release.manifest.version,
      manifestSha256: sha256Hex(manifestBytes),
      reason,
      consistency: dumpTask === null ? "stopped" : "dump",
      dumpTask,
      startedAt: startedAt.toISOString(),
      finishedAt: new Date().toISOString(),
      volumes,
      unnamed,
      data,
      marks: await readMarks(paths.marks),
    };
    await writeFileAtomically(join(partial, BACKUP_RECORD), `${JSON.stringify(record, undefined, 2)}\n`, {
      mode: 0o600,
    });
    await sealBackup(partial, record);
    await fsyncDirectory(partial);
    await rename(partial, join(paths.backups, name));
    await fsyncDirectory(paths.backups);
    await appendToJournal(paths.journal, {
      step: "backup-made",
      backup: name,
      release: release.name,
      reason,
    });
    await removeOld(paths.backups, input.keep, name);
    return record;
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw asDiskFull(error, paths.backups);
  }
}

/** Two within a second have different names. */
async function freeName(backups: string, name: string): Promise<string> {
  const names: string[] = await readdir(backups).catch(() => []);
  for (let count = 1; ; count += 1) {
    const candidate = count === 1 ? name : `${name}-${count}`;
    if (!names.includes(candidate)) return candidate;
  }
}

/** Removes what backups that were cut off have left. Only while the stack is locked. */
export async function removePartialBackups(backups: string): Promise<void> {
  for (const name of (await readdir(backups).catch(() => [])).filter(isPartialBackup))
    await rm(join(backups, name), { recursive: true, force: true });
}

async function removeOld(backups: string, keep: number, newest: string): Promise<void> {
  const old = (await listBackups(backups)).filter(({ name }) => name !== newest).slice(Math.max(0, keep - 1));
  for (const { name } of old) await rm(join(backups, name), { recursive: true, force: true });
}
