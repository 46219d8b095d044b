import type { ProgressListener } from "./progress/listener.ts";
import { createNdjsonListener } from "./progress/ndjson-listener.ts";
import { createPlainListener } from "./progress/plain-listener.ts";
import { createTerminalListener } from "./progress/terminal-listener.ts";

/** One line of the live health table. `ok` is undefined while it is not decided. */
export interface ServiceLine {
  name: string;
  state: string;
  expected: string;
  ok: boolean | undefined;
  detail?: string | undefined;
}

export type ProgressEvent =
  | { type: "stage-started"; stage: string; title: string }
  | {
      type: "stage-progress";
      stage: string;
      doneBytes?: number | undefined;
      totalBytes?: number | undefined;
      message?: string | undefined;
    }
  | { type: "stage-finished"; stage: string; message?: string | undefined; durationMs: number }
  | { type: "stage-failed"; stage: string; message: string }
  | { type: "warning"; code: string; message: string; remedy?: string | undefined }
  | { type: "services"; services: readonly ServiceLine[] };

/** What a running stage says about itself. Cheap enough to be called for every chunk. */
export interface StageReport {
  bytes(doneBytes: number, totalBytes?: number): void;
  message(text: string): void;
}

export interface Progress {
  emit(event: ProgressEvent): void;
  /**
   * Runs one stage between its started and finished (or failed) events and gives its result. When it returns and no other
   * stage runs, the terminal is free: questions can be asked.
   */
  stage<T>(
    stage: string,
    title: string,
    run: (report: StageReport) => Promise<T>,
    summary?: (result: T) => string,
  ): Promise<T>;
  /** Ends the display; stages still open are shown as interrupted. Can be called twice. */
  close(): Promise<void>;
}

export type ProgressMode = "terminal" | "plain" | "json";

export interface ProgressOptions {
  mode: ProgressMode;
  /** stderr: stdout is for the result. */
  stream: NodeJS.WriteStream;
  /** The stages to come, in order: titles are then numbered, `3/8`. */
  stages?: readonly string[];
  /** Whether the terminal shows more than ASCII. */
  unicode?: boolean;
  /** Milliseconds from any starting point. */
  now?: () => number;
}

const LISTENERS = {
  terminal: createTerminalListener,
  plain: createPlainListener,
  json: createNdjsonListener,
} as const;

/** Progress events and the listener that fits where they go: a terminal, a log, a program. */
export function createProgress(options: ProgressOptions): Progress {
  const { mode, stream, stages = [], unicode = false, now = () => performance.now() } = options;
  const listener = LISTENERS[mode]({ stream, stages, unicode, now });
  let closed = false;

  function emit(event: ProgressEvent): void {
    if (!closed) listener.handle(event);
  }

  return {
    emit,
    stage: (stage, title, run, summary) => runStage({ emit, listener, now }, stage, title, run, summary),
    async close() {
      closed = true;
      await listener.close();
    },
  };
}

interface StageSurroundings {
  emit: Progress["emit"];
  listener: ProgressListener;
  now: () => number;
}

async function runStage<T>(
  { emit, listener, now }: StageSurroundings,
  stage: string,
  title: string,
  run: (report: StageReport) => Promise<T>,
  summary?: (result: T) => string,
): Promise<T> {
  const startedMs = now();
  emit({ type: "stage-started", stage, title });
  try {
    const result = await run({
      bytes: (doneBytes, totalBytes) => emit({ type: "stage-progress", stage, doneBytes, totalBytes }),
      message: (message) => emit({ type: "stage-progress", stage, message }),
    });
    emit({ type: "stage-finished", stage, message: summary?.(result), durationMs: now() - startedMs });
    return result;
  } catch (error) {
    emit({ type: "stage-failed", stage, message: failureMessage(error) });
    throw error;
  } finally {
    await listener.settle();
  }
}

function failureMessage(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.name === "AbortError" ? "interrupted" : error.message;
}
