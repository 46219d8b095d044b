import { styleText } from "node:util";
import { DefaultRenderer, Listr, ListrLogger, type ListrTaskWrapper, ProcessOutput, Spinner } from "listr2";
import { attachDisplay } from "../announce.ts";
import { type Glyphs, glyphs } from "../glyphs.ts";

/** Slow enough for a serial line, where every frame is paid for in bytes, and for a terminal that writes synchronously. */
const FRAME_EVERY_MS = 250;
const REFRESH_EVERY_MS = 500;

/** listr2 asks whether *stdout* is a terminal; we draw on stderr, whatever stdout is. */
class StderrRenderer extends DefaultRenderer {
  static override nonTTY = true;
}

class GlyphSpinner extends Spinner {
  protected override readonly spinner: string[];

  constructor(frames: string[]) {
    super();
    this.spinner = frames;
  }

  override start(draw?: () => void): void {
    super.start(draw, FRAME_EVERY_MS);
  }
}

type Keeper = ListrTaskWrapper<unknown, typeof StderrRenderer, typeof StderrRenderer>;
type Display = Listr<unknown, typeof StderrRenderer, typeof StderrRenderer>;

interface Line {
  title: string;
  /** What stands below the title while the line is open. */
  details: () => string;
  ended: PromiseWithResolvers<void>;
}

/**
 * One listr2 display, from the first stage that starts until none runs. listr2 wants its tasks beforehand and runs them
 * itself; stages come when they come. So the display has one task without a title, which draws nothing and keeps it alive,
 * and every stage is a task added while that one runs.
 */
export class LiveDisplay {
  /** Resolves when the display is off the stream. */
  readonly ended: Promise<void>;
  readonly #stream: NodeJS.WriteStream;
  readonly #signs: Glyphs;
  readonly #lines = new Map<string, Line>();
  readonly #waiting: Line[] = [];
  readonly #runs: Promise<void>[] = [];
  readonly #afterwards: string[] = [];
  readonly #allEnded = Promise.withResolvers<void>();
  #add: ((line: Line) => void) | undefined;
  #say: ((line: string) => void) | undefined;

  constructor(stream: NodeJS.WriteStream, unicode: boolean, previous: Promise<void>) {
    this.#stream = stream;
    this.#signs = glyphs(unicode);
    this.ended = this.#run(previous);
  }

  get openLines(): number {
    return this.#lines.size;
  }

  start(key: string, title: string, details: () => string): void {
    const line: Line = { title, details, ended: Promise.withResolvers<void>() };
    // The rejection is for listr2 only; the error itself goes its own way, to whoever ran the stage.
    line.ended.promise.catch(() => {});
    this.#lines.set(key, line);
    if (this.#add) this.#add(line);
    else this.#waiting.push(line);
  }

  /** Ends a line with its last title. With the last line, the display ends: see `ended`. */
  end(key: string, title: string, outcome: "done" | "failed"): void {
    const line = this.#lines.get(key);
    if (!line) return;
    line.title = title;
    if (outcome === "done") line.ended.resolve();
    else line.ended.reject(new Error(title));
    this.#lines.delete(key);
    if (this.#lines.size === 0) this.#allEnded.resolve();
  }

  /** Shows a line below the stages now; `keep` writes it below the display once that has ended. */
  say(text: string, keep = false): void {
    this.#say?.(text);
    if (keep) this.#afterwards.push(text);
  }

  async #run(previous: Promise<void>): Promise<void> {
    await previous;
    const detach = attachDisplay(this.#stream, (line) => this.say(line));
    const display: Display = new Listr<unknown, typeof StderrRenderer, typeof StderrRenderer>(
      [{ task: (_context, keeper) => this.#keep(display, keeper), rendererOptions: { bottomBar: 3 } }],
      {
        concurrent: true,
        // One stage that fails does not change how the others are shown.
        exitOnError: false,
        registerSignalListeners: false,
        renderer: StderrRenderer,
        fallbackRenderer: StderrRenderer,
        rendererOptions: this.#rendererOptions(),
      },
    );
    await display.run();
    detach();
    for (const line of this.#afterwards) this.#stream.write(`${line}\n`);
  }

  async #keep(display: Display, keeper: Keeper): Promise<void> {
    this.#say = (line) => {
      keeper.output = line;
    };
    this.#add = (line) => this.#runs.push(runLine(display, keeper, line));
    for (const line of this.#waiting.splice(0)) this.#add(line);
    await this.#allEnded.promise;
    await Promise.all(this.#runs);
  }

  #rendererOptions() {
    const signs = this.#signs;
    const colour = (format: Parameters<typeof styleText>[0]) => (text?: string) =>
      styleText(format, text ?? "", { stream: this.#stream });
    const icon = {
      PENDING: signs.waiting,
      WAITING: signs.waiting,
      COMPLETED: signs.done,
      FAILED: signs.failed,
      OUTPUT: signs.detail,
      OUTPUT_WITH_BOTTOMBAR: "",
    };
    const color = { PENDING: colour("cyan"), COMPLETED: colour("green"), FAILED: colour("red") };
    const output = new ProcessOutput(this.#stream, this.#stream, { dump: ["stderr"], leaveEmptyLine: false });
    return {
      spinner: new GlyphSpinner(signs.spinner),
      icon,
      color,
      logger: new ListrLogger({ useIcons: true, toStderr: [], processOutput: output }),
    };
  }
}

/** One stage as a task of the running display, with its details brought up to date until it has ended. */
async function runLine(display: Display, keeper: Keeper, line: Line): Promise<void> {
  display.add({ title: line.title, task: () => line.ended.promise });
  const task = display.tasks.at(-1);
  if (!task) return;
  const refresh = setInterval(() => {
    const details = line.details();
    if (details !== "" && details !== task.output) task.output$ = details;
  }, REFRESH_EVERY_MS);
  const settled = line.ended.promise
    .catch(() => {})
    .then(() => {
      clearInterval(refresh);
      task.title$ = line.title;
    });
  await task.check({});
  await task.run({}, keeper);
  await settled;
}
