import type { ProgressEvent } from "../progress.ts";
import type { ListenerOptions, ProgressListener } from "./listener.ts";

type StageProgress = Extract<ProgressEvent, { type: "stage-progress" }>;

const PROGRESS_EVERY_MS = 1_000;

/**
 * One JSON object a line: the events as they are, with the time (RFC 3339) first. Progress of a stage at most once a second,
 * with all that is known by then, and its last one always; the services only when they changed.
 */
export function createNdjsonListener({ stream, now }: ListenerOptions): ProgressListener {
  const stages = new Map<string, { known: StageProgress; writtenMs: number; written: string }>();
  let services = "";

  function write(event: ProgressEvent): void {
    stream.write(`${JSON.stringify({ time: new Date().toISOString(), ...event })}\n`);
  }

  function writeProgress(stage: string): void {
    const state = stages.get(stage);
    if (!state) return;
    const text = JSON.stringify(state.known);
    if (text === state.written) return;
    state.written = text;
    state.writtenMs = now();
    write(state.known);
  }

  return {
    handle(event) {
      if (event.type === "stage-progress") {
        const state = stages.get(event.stage) ?? {
          known: event,
          writtenMs: Number.NEGATIVE_INFINITY,
          written: "",
        };
        stages.set(event.stage, state);
        state.known = { ...state.known, ...withoutUndefined(event) };
        if (now() - state.writtenMs >= PROGRESS_EVERY_MS) writeProgress(event.stage);
        return;
      }
      if (event.type === "services") {
        const text = JSON.stringify(event.services);
        if (text === services) return;
        services = text;
      }
      if (event.type === "stage-finished" || event.type === "stage-failed") writeProgress(event.stage);
      write(event.type === "stage-finished" ? { ...event, durationMs: Math.round(event.durationMs) } : event);
    },
    async settle() {},
    async close() {
      for (const stage of stages.keys()) writeProgress(stage);
    },
  };
}

function withoutUndefined<T extends object>(event: T): T {
  return Object.fromEntries(Object.entries(event).filter(([, value]) => value !== undefined)) as T;
}
