import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type EngineFacts, readComposeModel, readEngineFacts } from "@drybag/docker";
import { DrybagError, isDrybagError } from "@drybag/errors";
import { MANIFEST_ENTRY, sha256Hex } from "@drybag/format";
import { formatBytes } from "@drybag/terminal";
import type { CheckResult } from "../checks/watch-checks.ts";
import type { JudgedService } from "../health/judge-services.ts";
import type { InstallSurroundings } from "../install/install-options.ts";
import { runAgain } from "../install/run-again.ts";
import { Stopwatch } from "../install/stopwatch.ts";
import { freeBytes } from "../preflight/preflight-disk.ts";
import { releaseFlags } from "../release/release-flags.ts";
import type { InstalledRelease } from "../site/current-release.ts";
import type { InstalledStack } from "../site/installed-stacks.ts";
import { appendToJournal } from "../site/journal.ts";
import { lockSite } from "../site/site-lock.ts";
import { endLeftoverTasks } from "../tasks/end-leftover-tasks.ts";
import { refuseUnfinishedUpgrade } from "../upgrade/unfinished-upgrade.ts";
import { backUpStack } from "./back-up-stack.ts";
import { type BackupRecord, backupTarBytes, contentsOf, readBackup } from "./backup-record.ts";
import { removePartialBackups } from "./make-backup.ts";
import { requireRestorable, restoreData, verifyBackup } from "./restore-data.ts";
import { forgetRestore, noteRestore, readUnfinishedRestore } from "./unfinished-restore.ts";

export const RESTORE_STAGES = ["verify", "backup", "restore", "health"];

export interface Restored {
  record: BackupRecord;
  /** Backup of the data that was there before; null where there was none. */
  aside: string | null;
  services: JudgedService[];
  checks: CheckResult[];
}

/**
 * Puts the data of a backup in the place of what is there, and sees the stack healthy with it; where it does not get healthy, what was
 * there comes back. The same command again finishes one that was cut off.
 * Throws `backup-damaged`, `backup-other`, `disk-full`, `restore-refused`, `unhealthy`, `return-failed`.
 */
export async function restoreBackup(
  stack: InstalledStack,
  folder: string,
  options: { otherRelease: boolean; healthTimeoutMs: number },
  surroundings: InstallSurroundings,
): Promise<Restored> {
  const { name: projectName, paths, current } = stack;
  const { docker, engineIsLocal, progress, signal } = surroundings;
  const stopwatch = new Stopwatch(progress);
  await using _lock = await lockSite(paths.lock);
  await refuseUnfinishedUpgrade(paths, projectName);
  await endLeftoverTasks(docker, projectName, paths.journal);
  await removePartialBackups(paths.backups);
  const record = await readBackup(folder);
  if (!options.otherRelease) await requireSameBundle(record, current, projectName);
  const engine = await readEngineFacts(docker, { signal });
  const flags = releaseFlags(current.manifest, current.folder, projectName);
  const model = await readComposeModel(docker, flags, { signal });
  await stopwatch.stage("verify", "Verify the backup", (report) =>
    verifyBackup(folder, record, report, signal),
  );
  await requireEngineRoom(engine, engineIsLocal, record);
  await requireRestorable({ docker, projectName, model, manifest: current.manifest, record, signal });

  const aside = await setAside(stack, folder, surroundings, stopwatch);
  const common = { docker, engineIsLocal, projectName, model, manifest: current.manifest, paths };
  const put = async (from: string, what: BackupRecord, title: string, under: AbortSignal) =>
    stopwatch.stage("restore", title, (report) =>
      restoreData({ ...common, folder: from, record: what, report, signal: under }),
    );
  await noteRestore(paths, { folder, aside });
  await appendToJournal(paths.journal, { step: "restore-started", backup: record.name, aside });
  try {
    await put(folder, record, "Restore the data", signal);
    const result = await runAgain(
      { ...surroundings, stopwatch },
      stack,
      engine.imageStore,
      options.healthTimeoutMs,
      signal,
    );
    await forgetRestore(paths);
    await appendToJournal(paths.journal, { step: "restored", backup: record.name });
    return { record, aside, ...result };
  } catch (error) {
    if (signal.aborted || !isDrybagError(error)) throw error;
    throw await comeBack(error);
  }

  /** The data before, and the stack with it. */
  async function comeBack(error: DrybagError): Promise<DrybagError> {
    const later = new AbortController().signal;
    if (aside === null) {
      await forgetRestore(paths);
      return withHint(error, "There was no data before; what was restored is still there. Look at the logs.");
    }
    try {
      const from = join(paths.backups, aside);
      await put(from, await readBackup(from), "Put the data before back", later);
      await runAgain(
        { ...surroundings, stopwatch },
        stack,
        engine.imageStore,
        options.healthTimeoutMs,
        later,
      );
      await forgetRestore(paths);
      await appendToJournal(paths.journal, { step: "restored", backup: aside });
      return withHint(error, `The stack runs again with the data that it had before (backup ${aside}).`);
    } catch (cause) {
      return new DrybagError(
        "return-failed",
        `${error.message} The data before could not be put back either.`,
        {
          cause,
          detail: [error.detail, (cause as Error).message].filter(Boolean).join("\n"),
          hint: `It is in ${join(paths.backups, aside)}: 'drybag-site restore ${aside}' puts it back.`,
        },
      );
    }
  }
}

function withHint({ code, message, detail, cause }: DrybagError, hint: string): DrybagError {
  return new DrybagError(code, message, { cause, hint, ...(detail === undefined ? {} : { detail }) });
}

/** What is there now, in a backup of its own; a restore that was cut off has made it already. */
async function setAside(
  { name: projectName, paths, current }: InstalledStack,
  folder: string,
  { docker, engineIsLocal, signal }: InstallSurroundings,
  stopwatch: Stopwatch,
): Promise<string | null> {
  const unfinished = await readUnfinishedRestore(paths);
  // Half restored data is nothing to keep.
  if (unfinished !== undefined)
    return unfinished.aside === null || folder.endsWith(`/${unfinished.aside}`) ? null : unfinished.aside;
  const record = await backUpStack({
    docker,
    engineIsLocal,
    projectName,
    paths,
    release: current,
    // One more is kept: the one to be restored must not go.
    rules: { ...current.manifest.backup, keep: Number.MAX_SAFE_INTEGER },
    reason: "restore",
    afterwards: "stay",
    stopwatch,
    signal,
  });
  return contentsOf(record).length === 0 ? null : record.name;
}

/** Another release may not understand the data, or has other volumes. Throws `backup-other`. */
async function requireSameBundle(
  record: BackupRecord,
  current: InstalledRelease,
  stack: string,
): Promise<void> {
  const identity = sha256Hex(await readFile(join(current.folder, MANIFEST_ENTRY)));
  if (identity === record.manifestSha256) return;
  throw new DrybagError(
    "backup-other",
    `The backup ${record.name} is of release ${record.release}; ${stack} runs ${current.name}.`,
    {
      hint: `Install that release's bundle first, or go back to it ('drybag-site rollback --to ${record.release} --restore-data'). --other-release takes the data as it is.`,
    },
  );
}

async function requireEngineRoom(
  engine: EngineFacts,
  engineIsLocal: boolean,
  record: BackupRecord,
): Promise<void> {
  const free = engineIsLocal ? await freeBytes(engine.dataRoot) : undefined;
  const needed = backupTarBytes(record);
  if (free === undefined || free >= needed) return;
  throw new DrybagError(
    "disk-full",
    `The data needs ${formatBytes(needed)} free in ${engine.dataRoot}; there are ${formatBytes(free)}.`,
    { hint: `Make ${formatBytes(needed - free)} more room there, then run the same command again.` },
  );
}
