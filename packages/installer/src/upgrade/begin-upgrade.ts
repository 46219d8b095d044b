import { join } from "node:path";
import { type DockerContext, readComposeModel } from "@drybag/docker";
import { DrybagError, isDrybagError } from "@drybag/errors";
import type { BackupRules, Manifest, Task } from "@drybag/format";
import { backUpStack } from "../backup/back-up-stack.ts";
import { readBackup } from "../backup/backup-record.ts";
import { restoreData, verifyBackup } from "../backup/restore-data.ts";
import { startStopped } from "../backup/stop-stack.ts";
import { refuseUnfinishedRestore } from "../backup/unfinished-restore.ts";
import { runTasks, type StartTasks } from "../install/settle-release.ts";
import type { Stopwatch } from "../install/stopwatch.ts";
import { releaseFlags } from "../release/release-flags.ts";
import type { InstalledRelease } from "../site/current-release.ts";
import { appendToJournal } from "../site/journal.ts";
import { recoverSite } from "../site/recover-site.ts";
import type { SitePaths } from "../site/site-paths.ts";
import { tasksAt } from "../tasks/plan-tasks.ts";
import type { TaskResult } from "../tasks/run-task.ts";
import { readSiteValues } from "../tasks/site-values.ts";
import {
  forgetUpgrade,
  noteUpgrade,
  readUnfinishedUpgrade,
  type UnfinishedUpgrade,
} from "./unfinished-upgrade.ts";

export interface UpgradeSurroundings {
  docker: DockerContext;
  engineIsLocal: boolean;
  projectName: string;
  paths: SitePaths;
  stopwatch: Stopwatch;
  signal: AbortSignal;
}

/**
 * What an earlier command left unfinished: tasks are ended, what was stopped runs again; an upgrade to another release, or one that was
 * cut off within a task, is undone by putting the data back that the release before had. Throws `restore-unfinished`.
 */
export async function settleSite(
  release: string,
  previous: InstalledRelease | undefined,
  surroundings: UpgradeSurroundings,
): Promise<void> {
  const { docker, projectName, paths, signal } = surroundings;
  await refuseUnfinishedRestore(paths, projectName);
  const pending = await readUnfinishedUpgrade(paths);
  if (pending === undefined) return recoverSite(docker, projectName, paths, signal);
  if (pending.release === release && pending.taskRunning === null) return;
  if (previous === undefined) await forgetUpgrade(paths);
  else {
    // Its data is then as it was when the backup was made: another upgrade can begin from there.
    const next = { ...pending, release, tasksDone: [], taskRunning: null };
    await undoUpgrade(pending, previous, surroundings, release === previous.name ? undefined : next);
  }
  await recoverSite(docker, projectName, paths, signal);
}

/** Gives the release before its data back, where it was kept. Its containers are gone then, and nothing runs; `next` may come from there. */
export async function undoUpgrade(
  { release, backup }: UnfinishedUpgrade,
  previous: InstalledRelease,
  { docker, engineIsLocal, projectName, paths, stopwatch, signal }: UpgradeSurroundings,
  next?: UnfinishedUpgrade,
): Promise<void> {
  if (backup !== null) {
    const folder = join(paths.backups, backup);
    const record = await readBackup(folder);
    const { manifest } = previous;
    const model = await readComposeModel(docker, releaseFlags(manifest, previous.folder, projectName), {
      signal,
    });
    await stopwatch.stage("restore", `Give ${previous.name} its data back`, async (report) => {
      await verifyBackup(folder, record, report, signal);
      const common = { docker, engineIsLocal, projectName, model, manifest, paths };
      await restoreData({ ...common, folder, record, report, signal });
    });
  }
  if (next === undefined) await forgetUpgrade(paths);
  else await noteUpgrade(paths, next);
  await appendToJournal(paths.journal, { step: "upgrade-undone", release, backup });
}

/** What was decided about an upgrade. */
export interface UpgradeChoices {
  /** What its backup holds. */
  rules: BackupRules | "none" | undefined;
  /** Tasks of the release that runs, not to be run before it. */
  skipTasks: readonly string[];
}

/** What an upgrade will do beside the switch itself. Throws `task-not-found`. Pure. */
export function planUpgrade(
  manifest: Manifest,
  previous: Manifest,
  { rules, skipTasks }: UpgradeChoices,
): { before: Task[]; after: Task[]; isBackedUp: boolean } {
  const before = tasksAt(previous.tasks ?? [], "before-upgrade");
  const after = tasksAt(manifest.tasks ?? [], "after-upgrade");
  refuseOthers(skipTasks, before, previous);
  const hasTasks = after.length > 0 || before.length > 0;
  return {
    before: before.filter(({ name }) => !skipTasks.includes(name)),
    after,
    isBackedUp: rules !== "none" && (rules !== undefined || hasTasks),
  };
}

/** Only what comes before anything has changed can be left out: what a release needs done afterwards, it needs. */
function refuseOthers(skipTasks: readonly string[], before: readonly Task[], { version }: Manifest): void {
  const names = before.map(({ name }) => name);
  const other = skipTasks.find((name) => !names.includes(name));
  if (other === undefined) return;
  throw new DrybagError("task-not-found", `Version ${version} runs no task ${other} before an upgrade.`, {
    hint: names.length === 0 ? "It runs none: leave --skip-task out." : `It runs ${names.join(", ")}.`,
  });
}

export interface BegunUpgrade {
  start: StartTasks;
  /** What ran before the switch. */
  tasks: TaskResult[];
  backup: string | null;
}

/**
 * What comes before the switch to another release: tasks of the one that runs, then the backup of its data, after which the stack stays
 * stopped. One that was cut off later has both behind it.
 */
export async function beginUpgrade(
  { manifest, release, ...choices }: { manifest: Manifest; release: string } & UpgradeChoices,
  previous: InstalledRelease,
  surroundings: UpgradeSurroundings,
): Promise<BegunUpgrade> {
  const { docker, engineIsLocal, projectName, paths, stopwatch, signal } = surroundings;
  const { rules } = choices;
  const { before, after, isBackedUp } = planUpgrade(manifest, previous.manifest, choices);
  const pending = await readUnfinishedUpgrade(paths);
  if (pending !== undefined)
    return { start: tasksAfter(after, paths, pending), tasks: [], backup: pending.backup };

  const tasks = before.length === 0 ? [] : await runBefore(before, previous, surroundings);
  const record = isBackedUp
    ? await backUpStack({
        docker,
        engineIsLocal,
        projectName,
        paths,
        release: previous,
        rules: rules === "none" ? undefined : rules,
        reason: "upgrade",
        afterwards: "stay",
        stopwatch,
        signal,
      })
    : undefined;
  const upgrade: UnfinishedUpgrade = {
    release,
    previousRelease: previous.name,
    backup: record?.name ?? null,
    tasksDone: [],
    taskRunning: null,
  };
  const { previousRelease, backup } = upgrade;
  try {
    await noteUpgrade(paths, upgrade);
  } catch (error) {
    await startStopped(docker, { model: undefined, journal: paths.journal }, AbortSignal.timeout(60_000));
    throw error;
  }
  await appendToJournal(paths.journal, { step: "upgrade-started", release, previousRelease, backup });
  return { start: tasksAfter(after, paths, upgrade), tasks, backup };
}

async function runBefore(
  tasks: readonly Task[],
  { manifest, folder, name }: InstalledRelease,
  { docker, engineIsLocal, projectName, paths, stopwatch, signal }: UpgradeSurroundings,
): Promise<TaskResult[]> {
  const flags = releaseFlags(manifest, folder, projectName);
  const values = await readSiteValues(docker, manifest, flags, signal);
  const release = { docker, engineIsLocal, flags, projectName, manifest, name, folder, expected: [], paths };
  let running = "";
  const onStart = async (task: Task) => {
    running = task.name;
  };
  try {
    return await runTasks(release, { tasks, onStart, onDone: async () => undefined }, values, {
      stopwatch,
      signal,
    });
  } catch (error) {
    if (!isDrybagError(error, "task-failed")) throw error;
    throw new DrybagError("task-failed", error.message, {
      cause: error,
      ...(error.detail !== undefined && { detail: error.detail }),
      hint: `Nothing else was changed; ${name} runs on. Where the task cannot be mended, --skip-task ${running} upgrades without it.`,
    });
  }
}

function tasksAfter(
  tasks: StartTasks["tasks"],
  paths: SitePaths,
  { tasksDone }: UnfinishedUpgrade,
): StartTasks {
  const change = async (next: (upgrade: UnfinishedUpgrade) => Partial<UnfinishedUpgrade>) => {
    const upgrade = await readUnfinishedUpgrade(paths);
    if (upgrade === undefined) throw new DrybagError("internal", `${paths.upgrade} is gone.`);
    await noteUpgrade(paths, { ...upgrade, ...next(upgrade) });
  };
  return {
    tasks: tasks.filter(({ name }) => !tasksDone.includes(name)),
    onStart: ({ name }) => change(() => ({ taskRunning: name })),
    onDone: ({ name }) => change((now) => ({ taskRunning: null, tasksDone: [...now.tasksDone, name] })),
  };
}
