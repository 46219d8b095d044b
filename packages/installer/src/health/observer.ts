import type { ContainerFacts } from "@drybag/docker";
import type { Observation } from "./judge-container.ts";

interface Sight {
  /** Changes whenever the container starts, ends or changes its health. */
  run: string;
  sinceMs: number;
  firstRestartCount: number;
}

/**
 * Remembers containers between two looks, so that "it stays up" is something that was seen. Where the engine's clock is ours, what it
 * says about a container that runs since before the first look counts as well.
 */
export class Observer {
  readonly #sights = new Map<string, Sight>();
  readonly #sharesClock: boolean;
  readonly #now: () => number;

  constructor(options: { sharesClock: boolean; now?: () => number }) {
    this.#sharesClock = options.sharesClock;
    this.#now = options.now ?? Date.now;
  }

  observe(container: ContainerFacts): Observation {
    const run = [container.state, container.startedAt, container.restartCount, container.health].join(" ");
    const before = this.#sights.get(container.id);
    const sight: Sight = {
      run,
      sinceMs: before?.run === run ? before.sinceMs : this.#now(),
      firstRestartCount: before?.firstRestartCount ?? container.restartCount,
    };
    this.#sights.set(container.id, sight);
    const seenMs = this.#now() - sight.sinceMs;
    // Since when it is unhealthy the engine does not say, only since when it runs.
    const isPlain = container.state === "running" && container.health === "none";
    return {
      steadyMs: this.#sharesClock && isPlain ? Math.max(seenMs, runsMs(container, this.#now())) : seenMs,
      restarts: container.restartCount - sight.firstRestartCount,
    };
  }
}

/** What a single look tells, by the engine's own times: for `status`, which does not wait. */
export function glance(container: ContainerFacts, nowMs: number): Observation {
  const steadyMs = container.state === "running" ? runsMs(container, nowMs) : Number.POSITIVE_INFINITY;
  return { steadyMs, restarts: 0 };
}

function runsMs({ startedAt }: ContainerFacts, nowMs: number): number {
  const startedMs = Date.parse(startedAt);
  return Number.isNaN(startedMs) ? 0 : nowMs - startedMs;
}
