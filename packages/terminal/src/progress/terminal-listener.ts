import { fitLine } from "../fit-line.ts";
import { formatDuration } from "../format-duration.ts";
import { glyphs } from "../glyphs.ts";
import { printable, printableLine } from "../printable.ts";
import type { ProgressEvent, ServiceLine } from "../progress.ts";
import { servicesTable } from "../services-table.ts";
import { warningLines } from "../warning-lines.ts";
import { type ListenerOptions, numberedTitle, type ProgressListener } from "./listener.ts";
import { LiveDisplay } from "./live-display.ts";
import { servicesCount } from "./services-summary.ts";
import { StageState } from "./stage-state.ts";

const BAR_CELLS = 16;
/** Columns that listr2 takes for indentation and sign in front of details, and one to spare. */
const DETAILS_MARGIN = 7;

/** The live display of a terminal. It owns the stream while a stage runs and never in between. */
export function createTerminalListener({ stream, stages, unicode, now }: ListenerOptions): ProgressListener {
  const { ellipsis } = glyphs(unicode);
  const running = new Map<string, StageState>();
  let display: LiveDisplay | undefined;
  let lastDisplay: Promise<void> = Promise.resolve();
  let services: readonly ServiceLine[] = [];
  let servicesStage: string | undefined;

  function start(stage: string, title: string): void {
    if (!display) {
      display = new LiveDisplay(stream, unicode, lastDisplay);
      lastDisplay = display.ended;
    }
    const state = new StageState(numberedTitle(stages, stage, title), now);
    running.set(stage, state);
    display.start(stage, state.title, () => details(stage, state));
  }

  function end(stage: string, outcome: "done" | "failed", note: string): void {
    const state = running.get(stage);
    if (!state) return;
    running.delete(stage);
    if (stage === servicesStage) {
      if (outcome === "failed")
        display?.say(servicesTable(services, { unicode, width: stream.columns }), true);
      servicesStage = undefined;
    }
    display?.end(stage, state.title + note, outcome);
    if (display?.openLines === 0) display = undefined;
  }

  function details(stage: string, state: StageState): string {
    const width = (stream.columns ?? 80) - DETAILS_MARGIN;
    const lines: string[] = [];
    if (state.bytesLine) lines.push(`${bar(state.fraction)}${state.bytesLine}`);
    if (state.message) lines.push(printableLine(state.message));
    if (stage !== servicesStage) return fit(lines, width).join("\n");
    // listr2 trims the front of the first line, so the table, whose header is indented, must not be first.
    lines.push(servicesCount(services));
    const maxRows = (stream.rows ?? 24) - lines.length - running.size - 4;
    const health = servicesTable(services, { width, maxRows, unicode, colorFor: stream });
    return [...fit(lines, width), health].join("\n");
  }

  function fit(lines: string[], width: number): string[] {
    return lines.map((line) => fitLine(line, width, ellipsis));
  }

  const handlers: {
    [Type in ProgressEvent["type"]]: (event: Extract<ProgressEvent, { type: Type }>) => void;
  } = {
    "stage-started": ({ stage, title }) => start(stage, title),
    "stage-progress": (event) => running.get(event.stage)?.update(event),
    "stage-finished": ({ stage, message, durationMs }) =>
      end(stage, "done", `${message ? `: ${printableLine(message)}` : ""} (${formatDuration(durationMs)})`),
    "stage-failed": ({ stage, message }) => end(stage, "failed", `: ${printable(message).split("\n")[0]}`),
    warning: (event) => {
      for (const line of warningLines(event, unicode)) {
        if (display) display.say(line, true);
        else void lastDisplay.then(() => stream.write(`${line}\n`));
      }
    },
    services: (event) => {
      services = event.services;
      servicesStage = [...running.keys()].at(-1);
    },
  };

  return {
    handle(event) {
      (handlers[event.type] as (event: ProgressEvent) => void)(event);
    },
    async settle() {
      if (!display) await lastDisplay;
    },
    async close() {
      for (const stage of [...running.keys()]) end(stage, "failed", ": interrupted");
      await lastDisplay;
    },
  };
}

/** `[======>         ] `, or nothing where the total is not known. */
function bar(fraction: number | undefined): string {
  if (fraction === undefined) return "";
  const filled = Math.floor(fraction * BAR_CELLS);
  const head = filled < BAR_CELLS ? ">" : "";
  return `[${`${"=".repeat(filled)}${head}`.padEnd(BAR_CELLS)}] `;
}
