import type { ComposeFlags, DockerContext } from "@drybag/docker";
import { DrybagError } from "@drybag/errors";
import type { Manifest, Task } from "@drybag/format";
import { formatDuration, type Progress } from "@drybag/terminal";
import { describeFailedChecks, runChecks } from "../checks/run-checks.ts";
import type { CheckResult } from "../checks/watch-checks.ts";
import type { ExpectedService } from "../health/expected-state.ts";
import { describeFailure, explainFailure } from "../health/explain-failure.ts";
import type { JudgedService } from "../health/judge-services.ts";
import type { SitePaths } from "../site/site-paths.ts";
import { runTask, type TaskResult } from "../tasks/run-task.ts";
import { readSiteValues, type SiteValues } from "../tasks/site-values.ts";
import type { Stopwatch } from "./stopwatch.ts";

/** Tasks that belong to a start, and who keeps in mind which of them are done. */
export interface StartTasks {
  tasks: readonly Task[];
  onStart(task: Task): Promise<void>;
  onDone(task: Task): Promise<void>;
}

export const NO_TASKS: StartTasks = {
  tasks: [],
  onStart: async () => undefined,
  onDone: async () => undefined,
};

export interface SettledRelease {
  tasks: TaskResult[];
  checks: CheckResult[];
  /** As they are after all that; undefined where nobody looked again. */
  services: JudgedService[] | undefined;
}

export interface ReleaseToSettle {
  docker: DockerContext;
  engineIsLocal: boolean;
  flags: ComposeFlags;
  projectName: string;
  manifest: Manifest;
  name: string;
  folder: string;
  expected: readonly ExpectedService[];
  paths: SitePaths;
}

/** What comes when all services of a release are healthy: its tasks, then its checks. Throws `task-failed`, `unhealthy`. */
export async function settleRelease(
  release: ReleaseToSettle,
  start: StartTasks,
  surroundings: { stopwatch: Stopwatch; progress: Progress; signal: AbortSignal },
): Promise<SettledRelease> {
  const { docker, manifest, flags } = release;
  const { signal } = surroundings;
  const needsValues = start.tasks.length > 0 || (manifest.checks ?? []).length > 0;
  if (!needsValues) return { tasks: [], checks: [], services: undefined };
  const values = await readSiteValues(docker, manifest, flags, signal);
  const tasks = await runTasks(release, start, values, surroundings);
  const { checks, services } = await seeChecks(release, values, surroundings);
  return { tasks, checks, services };
}

/** Runs tasks one after another, each as a stage of its own. Throws `task-failed`. */
export async function runTasks(
  release: ReleaseToSettle,
  { tasks, onStart, onDone }: StartTasks,
  values: SiteValues,
  { stopwatch, signal }: { stopwatch: Stopwatch; signal: AbortSignal },
): Promise<TaskResult[]> {
  const { docker, flags, projectName, paths, name, folder } = release;
  const around = { docker, flags, projectName, paths, release: name, releaseFolder: folder, values, signal };
  const results: TaskResult[] = [];
  for (const task of tasks) {
    await onStart(task);
    const result = await stopwatch.stage(
      `task-${task.name}`,
      `Run the task ${task.name}`,
      (report) =>
        runTask(task, around, { onLine: (line) => line.trim() !== "" && report.message(line.trim()) }),
      // How long it took, the stage says itself.
      (done) => (done.outcome === "done" ? "done" : describeTask(done)),
    );
    await onDone(task);
    results.push(result);
  }
  return results;
}

export function describeTask({ outcome, durationMs }: TaskResult): string {
  if (outcome === "done-before") return "done before";
  return outcome === "not-needed" ? "nothing to do" : formatDuration(durationMs);
}

async function seeChecks(
  release: ReleaseToSettle,
  values: SiteValues,
  { stopwatch, progress, signal }: { stopwatch: Stopwatch; progress: Progress; signal: AbortSignal },
): Promise<{ checks: CheckResult[]; services: JudgedService[] | undefined }> {
  const { docker, manifest } = release;
  const checks = manifest.checks ?? [];
  if (checks.length === 0) return { checks: [], services: undefined };
  return stopwatch.stage(
    "checks",
    "Check that it does its work",
    async () => {
      const show = (services: Parameters<Parameters<typeof runChecks>[0]["show"]>[0]) =>
        progress.emit({ type: "services", services });
      const { outcome, results, services } = await runChecks({ ...release, values, signal, show });
      if (outcome === "good") return { checks: results, services };
      if (outcome === "services-failed") {
        const failed = await explainFailure(docker, services, signal);
        const names = failed.map(({ name }) => name).join(", ");
        throw new DrybagError("unhealthy", `Not healthy any more: ${names}.`, {
          detail: describeFailure(failed),
        });
      }
      const names = results.filter(({ ok }) => !ok).map(({ check }) => check.name);
      throw new DrybagError("unhealthy", `The stack runs, but does not do its work: ${names.join(", ")}.`, {
        detail: describeFailedChecks(results),
      });
    },
    (result) => `${result.checks.length} good`,
  );
}
