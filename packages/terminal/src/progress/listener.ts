import type { ProgressEvent } from "../progress.ts";

export interface ListenerOptions {
  stream: NodeJS.WriteStream;
  stages: readonly string[];
  unicode: boolean;
  now: () => number;
}

export interface ProgressListener {
  handle(event: ProgressEvent): void;
  /** Resolves when what was handled is on the stream and, if no stage runs, the stream belongs to nobody. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

/** `Load images`, or `4/8 Load images` where the stages to come are known. */
export function numberedTitle(stages: readonly string[], stage: string, title: string): string {
  const index = stages.indexOf(stage);
  return index < 0 ? title : `${index + 1}/${stages.length} ${title}`;
}
