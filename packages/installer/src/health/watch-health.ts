import { setTimeout as sleep } from "node:timers/promises";
import { type ContainerFacts, type DockerContext, listProjectContainers } from "@drybag/docker";
import type { ExpectedService } from "./expected-state.ts";
import { type JudgedService, judgeServices } from "./judge-services.ts";
import { Observer } from "./observer.ts";

export interface WatchOptions {
  docker: DockerContext;
  engineIsLocal: boolean;
  projectName: string;
  expected: readonly ExpectedService[];
  /** As they were before Compose began: until it has ended, one that is still as it was says nothing of this release. */
  before: readonly ContainerFacts[];
  /** Resolves when Compose has ended: before, containers may still be made. */
  up: Promise<{ exitCode: number }>;
  timeoutMs: number;
  settleMs?: number | undefined;
  signal: AbortSignal;
  onServices(services: JudgedService[]): void;
}

export interface HealthResult {
  outcome: "healthy" | "unhealthy" | "timeout" | "up-failed";
  services: JudgedService[];
}

const POLL_MS = 500;

/**
 * Looks at the containers until every service is what it should be, one has failed, or time is over. Ends at the first failure: what
 * failed is known then, and waiting would not mend it.
 */
export async function watchHealth(options: WatchOptions): Promise<HealthResult> {
  const { docker, projectName, expected, timeoutMs, settleMs, signal, onServices } = options;
  const observer = new Observer({ sharesClock: options.engineIsLocal });
  const deadline = performance.now() + timeoutMs;
  let up: { exitCode: number } | undefined;
  const upEnded = options.up.then((result) => {
    up = result;
  });
  upEnded.catch(() => undefined);

  for (;;) {
    // Asked before looking: containers that Compose made last are then seen in this look.
    const upResult = up;
    const all = await listProjectContainers(docker, projectName, { signal });
    const containers = upResult ? all : all.filter((each) => !isAsBefore(each, options.before));
    const services = judgeServices(expected, containers, (each) => observer.observe(each), settleMs);
    onServices(services);
    if (services.some(({ outcome }) => outcome === "failed")) return { outcome: "unhealthy", services };
    if (upResult && upResult.exitCode !== 0) return { outcome: "up-failed", services };
    if (upResult && services.every(({ outcome }) => outcome === "good")) {
      return { outcome: "healthy", services };
    }
    if (performance.now() > deadline) return { outcome: "timeout", services };
    await Promise.race([sleep(POLL_MS, undefined, { signal }), ...(up ? [] : [upEnded])]);
  }
}

function isAsBefore(container: ContainerFacts, before: readonly ContainerFacts[]): boolean {
  return before.some(({ id, startedAt }) => id === container.id && startedAt === container.startedAt);
}
