import { createReadStream, createWriteStream } from "node:fs";
import { mkdtemp, open, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { fsyncDirectory } from "@drybag/format";
import { type Pack, pack } from "tar-stream";
import type { Redactor } from "./redact.ts";

/** What one file of the archive may hold, and all of them together, uncompressed, in bytes. */
export const MAX_FILE_BYTES = 4 * 1024 ** 2;
export const MAX_TOTAL_BYTES = 64 * 1024 ** 2;
/** Longer lines are cut: a file without an end of line must not be held in memory. */
const MAX_LINE_LENGTH = 64 * 1024;
const LONGEST_SECRET = 4096;
const CHUNK_BYTES = 64 * 1024;

export type Text = string | AsyncIterable<Uint8Array | string>;

/** A .tar.gz of texts, every one of them redacted on its way in. It has its name only when it is complete. */
export class SupportArchive implements AsyncDisposable {
  /** What was cut or left out for its size. */
  readonly cut: string[] = [];
  readonly #path: string;
  readonly #work: string;
  readonly #pack: Pack = pack();
  readonly #written: Promise<void>;
  #totalBytes = 0;

  private constructor(path: string, work: string) {
    this.#path = path;
    this.#work = work;
    const file = createWriteStream(join(work, "archive"), { mode: 0o600, flush: true });
    this.#written = pipeline(this.#pack, createGzip(), file);
    this.#written.catch(() => undefined);
  }

  /** `path` must not exist yet; its folder must. */
  static async create(path: string): Promise<SupportArchive> {
    // In the same folder, so that a rename will do, and readable by its owner only.
    return new SupportArchive(path, await mkdtemp(join(dirname(path), ".drybag-support-")));
  }

  /** Adds a text. Where it is too long, its end is left out: give the newest first, or only the last lines. */
  async add(name: string, text: Text, redactor: Redactor): Promise<void> {
    const room = Math.min(MAX_FILE_BYTES, MAX_TOTAL_BYTES - this.#totalBytes);
    if (room <= 0) {
      this.cut.push(`${name}: left out, the archive is full`);
      return;
    }
    const spool = join(this.#work, "text");
    const isWhole = await writeRedacted(spool, text, redactor, room);
    if (!isWhole) this.cut.push(`${name}: cut after ${room} bytes`);
    const { size } = await stat(spool);
    this.#totalBytes += size;
    const entry = this.#pack.entry({ name, size, mode: 0o600, mtime: new Date() });
    await pipeline(createReadStream(spool), entry);
  }

  /** Gives it its name. */
  async finish(): Promise<void> {
    this.#pack.finalize();
    await this.#written;
    await rename(join(this.#work, "archive"), this.#path);
    await fsyncDirectory(dirname(this.#path));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#pack.destroy();
    await this.#written.catch(() => undefined);
    await rm(this.#work, { recursive: true, force: true });
  }
}

/** Whether all of it had room. */
async function writeRedacted(
  path: string,
  text: Text,
  redactor: Redactor,
  maxBytes: number,
): Promise<boolean> {
  await using file = await open(path, "w", 0o600);
  const chunk: Buffer[] = [];
  let chunkBytes = 0;
  const flush = async () => {
    await file.write(Buffer.concat(chunk.splice(0)));
    chunkBytes = 0;
  };
  let sizeBytes = 0;
  for await (const { line, isCut } of linesOf(text)) {
    const redacted = redactor.line(line);
    // What is cut may end in the first half of a secret, which nobody recognizes: that goes too.
    const shown = Buffer.from(isCut ? `${redacted.slice(0, -LONGEST_SECRET)} (cut)\n` : `${redacted}\n`);
    if (sizeBytes + shown.length > maxBytes) {
      await flush();
      return false;
    }
    sizeBytes += shown.length;
    chunkBytes += shown.length;
    chunk.push(shown);
    if (chunkBytes >= CHUNK_BYTES) await flush();
  }
  await flush();
  return true;
}

/** Lines, of which the very long ones are cut. Exported for its test. */
export async function* linesOf(text: Text): AsyncGenerator<{ line: string; isCut: boolean }> {
  const decoder = new TextDecoder();
  let rest = "";
  let isSkipping = false;
  for await (const chunk of typeof text === "string" ? [text] : text) {
    rest += typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
    const lines = rest.split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (!isSkipping) yield cut(line);
      isSkipping = false;
    }
    if (rest.length <= MAX_LINE_LENGTH) continue;
    if (!isSkipping) yield cut(rest);
    isSkipping = true;
    rest = "";
  }
  if (rest !== "" && !isSkipping) yield cut(rest);
}

function cut(line: string): { line: string; isCut: boolean } {
  const isCut = line.length > MAX_LINE_LENGTH;
  return { line: isCut ? line.slice(0, MAX_LINE_LENGTH) : line, isCut };
}
