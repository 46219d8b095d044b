import type { ContainerFacts } from "@drybag/docker";
import type { ExpectedService } from "./expected-state.ts";

export interface Verdict {
  outcome: "good" | "waiting" | "failed";
  /** In a word or two: `healthy`, `exited 1`. */
  state: string;
  /** Why it is waiting or has failed. */
  detail?: string;
  /** It ended well although nothing says that it should end. */
  endedUnexpectedly?: boolean;
}

/** What is known of a container beyond how it is now. */
export interface Observation {
  /** How long it has been in its present run and state, as far as seen, in milliseconds. */
  steadyMs: number;
  /** How often it was restarted since it was first seen. */
  restarts: number;
}

/** How long a service without a healthcheck must stay up to count as running, in milliseconds. */
export const SETTLE_MS = 10_000;
/** A container that was restarted so often while we watched is in a loop. */
export const MAX_RESTARTS = 3;

/** Whether one container is what its service should be. Pure: what it takes is the engine's words and what was seen so far. */
export function judgeContainer(
  expected: ExpectedService,
  container: ContainerFacts,
  observation: Observation,
  settleMs = SETTLE_MS,
): Verdict {
  if (observation.restarts >= MAX_RESTARTS) {
    return {
      outcome: "failed",
      state: "crash loop",
      detail: `restarted ${observation.restarts} times, ${lastExit(container)}`,
    };
  }
  switch (container.state) {
    case "running":
      return judgeRunning(expected, container, observation, settleMs);
    case "exited":
    case "dead":
      return judgeEnded(expected, container, observation, settleMs);
    case "restarting":
      return { outcome: "waiting", state: "restarting", detail: lastExit(container) };
    case "created":
      return container.error === ""
        ? { outcome: "waiting", state: "created" }
        : { outcome: "failed", state: "not started", detail: container.error };
    default:
      return { outcome: "waiting", state: container.state };
  }
}

function judgeRunning(
  expected: ExpectedService,
  container: ContainerFacts,
  { steadyMs }: Observation,
  settleMs: number,
): Verdict {
  if (expected.state === "done") return { outcome: "waiting", state: "running" };
  switch (container.health) {
    case "healthy":
      return { outcome: "good", state: "healthy" };
    case "starting":
      return { outcome: "waiting", state: "starting", ...said(container) };
    case "unhealthy":
      // It may be a slow start that its start_period does not cover: give it as long as others have to settle.
      return {
        outcome: steadyMs < settleMs ? "waiting" : "failed",
        state: "unhealthy",
        ...said(container),
      };
    case "none":
      return steadyMs < settleMs
        ? { outcome: "waiting", state: "running", detail: "settling" }
        : { outcome: "good", state: "running" };
  }
}

function judgeEnded(
  expected: ExpectedService,
  container: ContainerFacts,
  { steadyMs }: Observation,
  settleMs: number,
): Verdict {
  const state = `exited ${container.exitCode}`;
  if (container.exitCode === 0 && container.error === "") {
    if (expected.state === "done") return { outcome: "good", state };
    // Compose or the engine may be about to start it again.
    if (steadyMs < settleMs) return { outcome: "waiting", state };
    if (startsAgain(container)) return { outcome: "failed", state, detail: "was stopped" };
    return { outcome: "good", state, endedUnexpectedly: true };
  }
  const detail = container.outOfMemory ? "ran out of memory" : container.error;
  // Between two runs that its restart policy allows, a container is seen as exited for an instant.
  const mayStartAgain = container.restartPolicy !== "no" && steadyMs < 2_000;
  return {
    outcome: mayStartAgain ? "waiting" : "failed",
    state,
    ...(detail === "" ? {} : { detail }),
  };
}

/** The engine never leaves such a container ended by itself. */
function startsAgain({ restartPolicy }: ContainerFacts): boolean {
  return restartPolicy === "always" || restartPolicy === "unless-stopped";
}

function lastExit({ exitCode, outOfMemory }: ContainerFacts): string {
  return outOfMemory ? "ran out of memory" : `last exit code ${exitCode}`;
}

function said({ healthOutput }: ContainerFacts): { detail?: string } {
  const line = healthOutput?.split("\n").at(-1)?.trim();
  return line ? { detail: line } : {};
}
