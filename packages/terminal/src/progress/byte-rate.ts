const WINDOW_MS = 8_000;
const SAMPLE_EVERY_MS = 250;
/** Below this the rate is a guess that would jump about. */
const TRUSTED_AFTER_MS = 1_000;

interface Sample {
  timeMs: number;
  doneBytes: number;
}

/** Bytes per second over the last seconds, from byte counts as they come. */
export class ByteRate {
  #samples: Sample[] = [];

  add(timeMs: number, doneBytes: number): void {
    const last = this.#samples.at(-1);
    if (last && doneBytes < last.doneBytes) this.#samples = [];
    else if (last && this.#samples.length > 1 && timeMs - last.timeMs < SAMPLE_EVERY_MS) return;
    this.#samples.push({ timeMs, doneBytes });
    while (this.#samples.length > 2 && timeMs - (this.#samples[1]?.timeMs ?? timeMs) > WINDOW_MS) {
      this.#samples.shift();
    }
  }

  /** undefined until it can be trusted. Falls towards 0 while nothing arrives. */
  bytesPerSecond(timeMs: number, doneBytes: number): number | undefined {
    const first = this.#samples[0];
    if (!first || timeMs - first.timeMs < TRUSTED_AFTER_MS) return undefined;
    return ((doneBytes - first.doneBytes) * 1000) / (timeMs - first.timeMs);
  }
}
