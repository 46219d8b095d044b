import { setTimeout as delay } from "node:timers/promises";

const intervalMs = 40;

/** Asks until the answer is not undefined. Returns undefined when the time is over. */
export async function waitFor<T>(
  ask: () => Promise<T | undefined>,
  options: { timeoutMs: number; signal?: AbortSignal | undefined },
): Promise<T | undefined> {
  const deadline = performance.now() + options.timeoutMs;
  for (;;) {
    options.signal?.throwIfAborted();
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > deadline) return undefined;
    await delay(intervalMs, undefined, { signal: options.signal });
  }
}
