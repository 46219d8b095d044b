import type { ProgressEvent } from "../progress.ts";
import type { ListenerOptions, ProgressListener } from "./listener.ts";

const PROGRESS_EVERY_MS = 1_000;

/**
 * One JSON object a line: the events as they are, with the time (RFC 3339) first. Progress of a stage at most once a second,
 * its last one always; the services only when they changed.
 */
export function createNdjsonListener({ stream, now }: ListenerOptions): ProgressListener {
  const writtenMs = new Map<string, number>();
  const held = new Map<string, ProgressEvent>();
  let services = "";

  function write(event: ProgressEvent): void {
    stream.write(`${JSON.stringify({ time: new Date().toISOString(), ...event })}\n`);
  }

  function release(stage: string): void {
    const event = held.get(stage);
    if (event) write(event);
    held.delete(stage);
  }

  return {
    handle(event) {
      if (event.type === "stage-progress") {
        const earlier = held.get(event.stage) ?? {};
        held.set(event.stage, { ...earlier, ...withoutUndefined(event) });
        if (now() - (writtenMs.get(event.stage) ?? Number.NEGATIVE_INFINITY) < PROGRESS_EVERY_MS) return;
        writtenMs.set(event.stage, now());
        release(event.stage);
        return;
      }
      if (event.type === "services") {
        const text = JSON.stringify(event.services);
        if (text === services) return;
        services = text;
      }
      if (event.type === "stage-finished" || event.type === "stage-failed") release(event.stage);
      write(event.type === "stage-finished" ? { ...event, durationMs: Math.round(event.durationMs) } : event);
    },
    async settle() {},
    async close() {
      for (const stage of held.keys()) release(stage);
    },
  };
}

/** A later event without a total must not wipe out the total of an earlier one. */
function withoutUndefined<T extends object>(event: T): T {
  return Object.fromEntries(Object.entries(event).filter(([, value]) => value !== undefined)) as T;
}
