import { createWriteStream, type WriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { finished } from "node:stream/promises";

/** Folder of a release with the output of its tasks. */
export const TASK_LOGS = "tasks";
const LAST_LINES = 20;

/** What a task wrote: all of it in a file of its own, the last lines to be shown. */
export class TaskLog {
  readonly path: string;
  readonly #stream: WriteStream;
  readonly #last: string[] = [];
  #failure: Error | undefined;

  private constructor(path: string) {
    this.path = path;
    this.#stream = createWriteStream(path, { flags: "wx", mode: 0o600, flush: true });
    this.#stream.on("error", (error) => {
      this.#failure = error;
    });
  }

  static async open(releaseFolder: string, task: string, now = new Date()): Promise<TaskLog> {
    const folder = join(releaseFolder, TASK_LOGS);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const time = now.toISOString().replace(/[-:.]/g, "");
    return new TaskLog(join(folder, `${time}-${task}.log`));
  }

  line(text: string): void {
    this.#last.push(text);
    if (this.#last.length > LAST_LINES) this.#last.shift();
    // A full disk must not stop a migration half-way: its log is then incomplete.
    if (this.#failure === undefined) this.#stream.write(`${text}\n`);
  }

  get lastLines(): readonly string[] {
    return this.#last;
  }

  async close(): Promise<void> {
    this.#stream.end();
    await finished(this.#stream).catch(() => undefined);
  }
}
