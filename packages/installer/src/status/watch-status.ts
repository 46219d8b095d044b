import { setTimeout as sleep } from "node:timers/promises";
import type { StackStatus } from "./read-status.ts";

const INTERVAL_MS = 2000;

/**
 * Looks again and again until the signal: `show` gets each look that differs from the one before, `first` not once more. Gives the last look. An engine that does
 * not answer for a while, as when it is started again, is shown and looked for again.
 */
export async function watchStatus(
  first: StackStatus[],
  look: () => Promise<StackStatus[]>,
  show: (look: { stacks: StackStatus[] } | { error: Error }) => void,
  signal: AbortSignal,
  intervalMs = INTERVAL_MS,
): Promise<StackStatus[] | undefined> {
  let last: StackStatus[] | undefined = first;
  let shown = JSON.stringify({ stacks: first });
  for (;;) {
    await sleep(intervalMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return last;
    const seen = await look().then(
      (stacks) => ({ stacks }),
      (error: Error) => ({ error }),
    );
    if (signal.aborted) return last;
    last = "stacks" in seen ? seen.stacks : undefined;
    const text = JSON.stringify("stacks" in seen ? seen : seen.error.message);
    if (text !== shown) show(seen);
    shown = text;
  }
}
