import { DrybagError } from "@drybag/errors";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * One Ctrl-C can arrive twice: from the terminal, which signals the whole group, and from a parent (pnpm, install.sh) that
 * passes on what it got.
 */
const SAME_KEYPRESS_MS = 400;

export interface InterruptionOptions {
  /** Told once, at the first signal. */
  onFirst(signal: NodeJS.Signals): void;
  /** Told at the second signal; has to end the process. */
  onSecond(): void;
}

/** The first signal aborts, the second kills. */
export function listenForSignals({ onFirst, onSecond }: InterruptionOptions): AbortSignal {
  const controller = new AbortController();
  let firstMs = 0;

  function listener(signal: NodeJS.Signals): void {
    if (!controller.signal.aborted) {
      firstMs = performance.now();
      onFirst(signal);
      controller.abort(new DrybagError("interrupted", "interrupted"));
      return;
    }
    // A closing terminal says SIGHUP more than once (kernel and shell), and there is nobody to be impatient.
    if (signal === "SIGHUP" || performance.now() - firstMs < SAME_KEYPRESS_MS) return;
    onSecond();
  }

  for (const signal of SIGNALS) process.on(signal, listener);
  return controller.signal;
}
