import type { Progress, StageReport } from "@drybag/terminal";

/** Runs stages and keeps how long each took, for the report. */
export class Stopwatch {
  readonly durationsMs: Record<string, number> = {};
  /** The stage that runs, or ran last. */
  current = "";
  readonly #progress: Progress;

  constructor(progress: Progress) {
    this.#progress = progress;
  }

  async stage<T>(
    stage: string,
    title: string,
    run: (report: StageReport) => Promise<T>,
    summary?: (result: T) => string,
  ): Promise<T> {
    this.current = stage;
    const startedMs = performance.now();
    try {
      return await this.#progress.stage(stage, title, run, summary);
    } finally {
      this.durationsMs[stage] = Math.round(performance.now() - startedMs);
    }
  }
}
