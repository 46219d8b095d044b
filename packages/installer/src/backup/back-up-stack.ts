import { type ComposeFlags, type ComposeModel, type DockerContext, readComposeModel } from "@drybag/docker";
import type { BackupRules } from "@drybag/format";
import { formatBytes } from "@drybag/terminal";
import { runTasks } from "../install/settle-release.ts";
import type { Stopwatch } from "../install/stopwatch.ts";
import { releaseFlags } from "../release/release-flags.ts";
import type { InstalledRelease } from "../site/current-release.ts";
import type { SitePaths } from "../site/site-paths.ts";
import { taskWithPrerequisites } from "../tasks/plan-tasks.ts";
import { readSiteValues } from "../tasks/site-values.ts";
import { type BackupReason, type BackupRecord, backupBytes, listBackups } from "./backup-record.ts";
import { planClearing } from "./clear-volumes.ts";
import { makeBackup } from "./make-backup.ts";
import { planBackup, requireRoom } from "./plan-backup.ts";
import { startStopped, stopStack } from "./stop-stack.ts";

/** Backups that are kept where the bundle does not say how many. */
export const DEFAULT_KEPT = 3;
/** How long starting the stack again may take when the command itself was stopped, in milliseconds. */
const START_TIMEOUT_MS = 5 * 60_000;

export interface StackToBackUp {
  docker: DockerContext;
  engineIsLocal: boolean;
  projectName: string;
  paths: SitePaths;
  /** The release that runs, or ran last. */
  release: InstalledRelease;
  rules: BackupRules | undefined;
  reason: BackupReason;
  /** `restart`: as it was before. `stay`: the stack stays stopped, for what comes next. */
  afterwards: "restart" | "stay";
  stopwatch: Stopwatch;
  signal: AbortSignal;
}

/**
 * Makes a backup of a stack, stopped for the time; with a dump task, while it runs, but only where it is to run on afterwards. Whatever
 * happens, the stack is started again unless it is to stay stopped and all went well. Throws `disk-full`, `task-failed`,
 * `restore-refused`.
 */
export async function backUpStack(input: StackToBackUp): Promise<BackupRecord> {
  const { docker, projectName, paths, release, rules, reason, stopwatch, signal } = input;
  const flags = releaseFlags(release.manifest, release.folder, projectName);
  const model = await readComposeModel(docker, flags, { signal });
  const dumpTask = input.afterwards === "restart" ? (rules?.dumpTask ?? null) : null;
  const see = async () => {
    const plan = await planBackup({ ...input, model, rules: rules ?? {}, isWhole: isWhole(input) });
    await requireRoom(paths.backups, plan.expectedBytes, await listBackups(paths.backups));
    return plan;
  };
  let plan = await see();
  // What is kept for what comes next must be able to come back.
  if (input.afterwards === "stay") {
    const volumes = plan.volumes.map(({ facts }) => facts);
    await planClearing(volumes, { docker, projectName, manifest: release.manifest, signal });
  }
  if (dumpTask !== null) {
    await dump(input, flags, dumpTask);
    // The dump may lie where nothing was before, and needs room.
    plan = await see();
  }

  return stopwatch.stage(
    "backup",
    "Back up the data",
    (report) =>
      whileStopped(input, { flags, model, isStopped: dumpTask === null }, () =>
        makeBackup({
          docker,
          projectName,
          paths,
          release,
          plan,
          reason,
          dumpTask,
          keep: rules?.keep ?? DEFAULT_KEPT,
          report,
          signal,
        }),
      ),
    (record) => `${record.name}, ${formatBytes(backupBytes(record))}`,
  );
}

/**
 * Whether the rules may leave nothing out: what a restore or a rollback replaces is all there is of it, and what a dump would hold is in no
 * dump where the stack is stopped instead.
 */
function isWhole({ afterwards, reason, rules }: StackToBackUp): boolean {
  return afterwards === "stay" && (reason !== "upgrade" || rules?.dumpTask !== undefined);
}

async function whileStopped<T>(
  { docker, projectName, paths, afterwards, signal }: StackToBackUp,
  { flags, model, isStopped }: { flags: ComposeFlags; model: ComposeModel; isStopped: boolean },
  run: () => Promise<T>,
): Promise<T> {
  if (!isStopped) return run();
  const startAgain = () =>
    startStopped(docker, { model, journal: paths.journal }, AbortSignal.timeout(START_TIMEOUT_MS));
  let result: T;
  try {
    await stopStack(docker, { flags, projectName, journal: paths.journal }, signal);
    result = await run();
  } catch (error) {
    await startAgain().catch(() => undefined);
    throw error;
  }
  if (afterwards === "restart") await startAgain();
  return result;
}

async function dump(
  { docker, engineIsLocal, projectName, paths, release, stopwatch, signal }: StackToBackUp,
  flags: ComposeFlags,
  task: string,
): Promise<void> {
  const { manifest, folder, name } = release;
  const values = await readSiteValues(docker, manifest, flags, signal);
  const toSettle = { docker, engineIsLocal, flags, projectName, manifest, name, folder, expected: [], paths };
  const tasks = taskWithPrerequisites(manifest.tasks ?? [], task);
  const nothing = async () => undefined;
  await runTasks(toSettle, { tasks, onStart: nothing, onDone: nothing }, values, { stopwatch, signal });
}
