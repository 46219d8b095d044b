import { formatDuration } from "../format-duration.ts";
import { printable } from "../printable.ts";
import type { ProgressEvent } from "../progress.ts";
import { warningLines } from "../warning-lines.ts";
import { type ListenerOptions, numberedTitle, type ProgressListener } from "./listener.ts";
import { servicesSummary } from "./services-summary.ts";
import { StageState } from "./stage-state.ts";

const PROGRESS_EVERY_MS = 5_000;

/** For logs and pipes: a line when a stage starts and ends, and now and then one in between. No cursor, no colour. */
export function createPlainListener({ stream, stages, unicode, now }: ListenerOptions): ProgressListener {
  const running = new Map<string, StageState>();
  const spokeMs = new Map<string, number>();
  let services = "";

  function write(line: string): void {
    stream.write(`${printable(line)}\n`);
  }

  function isTime(key: string): boolean {
    const last = spokeMs.get(key);
    if (last !== undefined && now() - last < PROGRESS_EVERY_MS) return false;
    spokeMs.set(key, now());
    return true;
  }

  const handlers: {
    [Type in ProgressEvent["type"]]: (event: Extract<ProgressEvent, { type: Type }>) => void;
  } = {
    "stage-started": ({ stage, title }) => {
      const state = new StageState(numberedTitle(stages, stage, title), now);
      running.set(stage, state);
      // The first progress line comes after the usual wait, not at once.
      spokeMs.set(stage, now());
      write(state.title);
    },
    "stage-progress": (event) => {
      const state = running.get(event.stage);
      state?.update(event);
      if (!state || !isTime(event.stage)) return;
      const words = [state.bytesLine, state.message].filter((word) => word !== undefined);
      if (words.length > 0) write(`${state.title}: ${words.join("; ")}`);
    },
    "stage-finished": ({ stage, message, durationMs }) => {
      const title = running.get(stage)?.title ?? stage;
      running.delete(stage);
      write(`${title}: ${message ?? "done"} (${formatDuration(durationMs)})`);
    },
    "stage-failed": ({ stage, message }) => {
      const title = running.get(stage)?.title ?? stage;
      running.delete(stage);
      write(`${title}: failed: ${message}`);
    },
    warning: (event) => {
      for (const line of warningLines(event, unicode)) write(line);
    },
    services: (event) => {
      const text = servicesSummary(event.services);
      if (text === services || !isTime("services")) return;
      services = text;
      write(text);
    },
  };

  return {
    handle(event) {
      (handlers[event.type] as (event: ProgressEvent) => void)(event);
    },
    async settle() {},
    async close() {
      for (const { title } of running.values()) write(`${title}: interrupted`);
      running.clear();
    },
  };
}
