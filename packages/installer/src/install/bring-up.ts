import { isDrybagError } from "@drybag/errors";
import type { CheckResult } from "../checks/watch-checks.ts";
import { expectedServices } from "../health/expected-state.ts";
import { serviceLine } from "../health/judge-services.ts";
import type { EnteredSite } from "../site/enter-site.ts";
import { appendToJournal } from "../site/journal.ts";
import type { TaskResult } from "../tasks/run-task.ts";
import { afterFailure } from "./after-failure.ts";
import type { InstallSurroundings } from "./install-options.ts";
import { NO_TASKS, type StartTasks, settleRelease } from "./settle-release.ts";
import { startFailed } from "./start-failed.ts";
import { type ReleaseToStart, type StartResult, startRelease } from "./start-release.ts";
import type { Stopwatch } from "./stopwatch.ts";

export interface StartedRelease extends StartResult {
  tasks: TaskResult[];
  checks: CheckResult[];
}

/**
 * Starts a placed release, sees its services healthy, runs its tasks and sees its checks good. Throws `unhealthy`, `up-failed` or
 * `task-failed`, after the release before was started again where there is one, with its data; `return-failed` where that did not help.
 * An interruption leaves everything as it is.
 */
export async function bringUp(
  site: EnteredSite,
  release: Omit<ReleaseToStart, "expected" | "paths"> & { name: string; folder: string },
  options: { healthTimeoutMs: number; start?: StartTasks },
  surroundings: InstallSurroundings & { stopwatch: Stopwatch },
): Promise<StartedRelease> {
  const { docker, progress, signal, stopwatch } = surroundings;
  const { name, store, projectName } = release;
  const timeoutMs = options.healthTimeoutMs;
  const expected = expectedServices(release.model, release.manifest.services);
  await appendToJournal(site.paths.journal, { step: "up-started", release: name });
  try {
    const started = await stopwatch.stage(
      "health",
      "Start the stack and wait until it is healthy",
      async () => {
        const result = await startRelease(
          { ...release, expected, paths: site.paths },
          {
            timeoutMs,
            signal,
            onServices: (services) =>
              progress.emit({ type: "services", services: services.map(serviceLine) }),
          },
        );
        if (result.outcome !== "healthy") throw await startFailed(docker, result, timeoutMs, signal);
        return result;
      },
      ({ started, services }) =>
        started ? `${services.length} services` : `${services.length} services, running already`,
    );
    const toSettle = { ...release, expected, paths: site.paths };
    const settled = await settleRelease(toSettle, options.start ?? NO_TASKS, surroundings);
    return { ...started, ...settled, services: settled.services ?? started.services };
  } catch (error) {
    if (signal.aborted || !isDrybagError(error)) throw error;
    const { code, message } = error;
    await appendToJournal(site.paths.journal, { step: "install-failed", release: name, code, message });
    const failed = { site, store, projectName, release: name, healthTimeoutMs: timeoutMs };
    throw await afterFailure(error, failed, surroundings);
  }
}
