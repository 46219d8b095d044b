import { attachDisplay } from "../announce.ts";

/** A stage in the display, from its start to its last title. */
export interface LiveLine {
  title: string;
  /** What stands below the title while the line is open. */
  details: () => string;
  /** Rejected where the stage failed. */
  ended: PromiseWithResolvers<void>;
}

/** What draws: listr2, in listr-display.ts. */
export interface Canvas {
  add(line: LiveLine): void;
  say(text: string): void;
}

/**
 * The display of a terminal, from the first stage that starts until none runs: what comes before the canvas is there waits
 * for it. Displays follow one another and never overlap, since each takes the stream's write function over.
 */
export class LiveDisplay {
  /** Resolves when the display is off the stream. */
  readonly ended: Promise<void>;
  readonly #stream: NodeJS.WriteStream;
  readonly #lines = new Map<string, LiveLine>();
  readonly #waiting: LiveLine[] = [];
  readonly #afterwards: string[] = [];
  readonly #allEnded = Promise.withResolvers<void>();
  #canvas: Canvas | undefined;

  constructor(stream: NodeJS.WriteStream, unicode: boolean, previous: Promise<void>) {
    this.#stream = stream;
    this.ended = this.#run(unicode, previous);
  }

  get openLines(): number {
    return this.#lines.size;
  }

  start(key: string, title: string, details: () => string): void {
    const line: LiveLine = { title, details, ended: Promise.withResolvers<void>() };
    // The rejection is for the canvas only; the error itself goes its own way, to whoever ran the stage.
    line.ended.promise.catch(() => {});
    this.#lines.set(key, line);
    if (this.#canvas) this.#canvas.add(line);
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
    this.#canvas?.say(text);
    if (keep) this.#afterwards.push(text);
  }

  async #run(unicode: boolean, previous: Promise<void>): Promise<void> {
    await previous;
    // Loaded when needed: what listr2 brings along takes as long to load as all the rest of a program.
    const { drawWithListr } = await import("./listr-display.ts");
    const detach = attachDisplay(this.#stream, (line) => this.say(line));
    await drawWithListr(this.#stream, unicode, async (canvas) => {
      this.#canvas = canvas;
      for (const line of this.#waiting.splice(0)) canvas.add(line);
      await this.#allEnded.promise;
    });
    detach();
    for (const line of this.#afterwards) this.#stream.write(`${line}\n`);
  }
}
