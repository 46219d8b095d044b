import type { ContainerFacts } from "@drybag/docker";
import type { Observation } from "./judge-container.ts";

interface Sight {
  /** Changes whenever the container starts, ends or changes its health. */
  run: string;
  sinceMs: number;
  firstRestartCount: number;
}

/**
 * Remembers containers between two looks, so that "it stays up" is something that was seen. Time is measured here and not by
 * comparing clocks: the engine's may be another machine's.
 */
export class Observer {
  readonly #sights = new Map<string, Sight>();
  readonly #now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
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
    return {
      steadyMs: this.#now() - sight.sinceMs,
      restarts: container.restartCount - sight.firstRestartCount,
    };
  }
}

/** What a single look tells, by the engine's own times: for `status`, which does not wait. */
export function glance(container: ContainerFacts, nowMs: number): Observation {
  const startedMs = Date.parse(container.startedAt);
  const runsMs = Number.isNaN(startedMs) ? 0 : nowMs - startedMs;
  return { steadyMs: container.state === "running" ? runsMs : Number.POSITIVE_INFINITY, restarts: 0 };
}
