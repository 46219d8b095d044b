import { type ComposeModel, type DockerContext, listProjectContainers } from "@drybag/docker";
import type { BundledService } from "@drybag/format";
import type { Progress } from "@drybag/terminal";
import { startFailed } from "../install/start-failed.ts";
import { expectedServices } from "./expected-state.ts";
import { serviceLine } from "./judge-services.ts";
import { watchHealth } from "./watch-health.ts";

/** Waits until containers that were started are healthy again. Throws `unhealthy`. */
export async function seeHealthy(input: {
  docker: DockerContext;
  engineIsLocal: boolean;
  projectName: string;
  model: ComposeModel;
  declared: readonly BundledService[];
  timeoutMs: number;
  progress: Progress;
  signal: AbortSignal;
}): Promise<void> {
  const { docker, projectName, model, declared, timeoutMs, progress, signal } = input;
  // What was never started, a backup did not stop.
  const there = await listProjectContainers(docker, projectName, { signal });
  const names = new Set(there.map(({ service }) => service));
  const expected = expectedServices(model, declared).filter(({ name }) => names.has(name));
  const result = await watchHealth({
    ...input,
    expected,
    before: [],
    up: Promise.resolve({ exitCode: 0 }),
    onServices: (services) => progress.emit({ type: "services", services: services.map(serviceLine) }),
  });
  if (result.outcome === "healthy") return;
  throw await startFailed(docker, { ...result, started: true, composeSaid: "" }, timeoutMs, signal);
}
