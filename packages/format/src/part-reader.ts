import { DrybagError } from "@drybag/errors";
import { copyAgainHint, type ReportDamage } from "./damage.ts";
import type { CarryFolder, CarryPart } from "./find-bundle.ts";
import { CHECKSUMS_FILE } from "./names.ts";
import { CHUNK_BYTES, openFile, type SequentialFile } from "./open-file.ts";
import { type PartHash, partHash, sharedMemory } from "./part-hash.ts";
import { readError } from "./read-error.ts";

export interface PartReaderOptions {
  signal?: AbortSignal | undefined;
  /** Told how many more bytes were read. */
  onBytes?: ((bytes: number) => void) | undefined;
  /** Read what the drive has, not what the kernel remembers. */
  bypassCache?: boolean | undefined;
  /** Told of each part that was compared with SHA256SUMS, whatever came out. */
  onCompared?: ((name: string) => void) | undefined;
  /** Nobody looks at the bodies: what is given out is good until the next bytes but one are taken, and parts are hashed on a thread. */
  onlyVerify?: boolean | undefined;
  report: ReportDamage;
}

/**
 * The parts of a bundle as one stream of bytes that is asked for them. Each part is hashed in passing and compared with
 * SHA256SUMS at its end, before a byte of the next part is given out.
 */
export class PartReader {
  /** Bytes given out so far. */
  position = 0;
  readonly #folder: CarryFolder;
  readonly #options: PartReaderOptions;
  readonly #checked = new Map<string, "whole" | "damaged">();
  #partIndex = 0;
  #partBytes = 0;
  #file: SequentialFile | undefined;
  readonly #hash: PartHash;
  readonly #memory: ReadMemory;
  #chunk: Buffer = Buffer.alloc(0);
  /** The next chunk, read while the one before is hashed and used. */
  #ahead: Promise<Buffer> | undefined;
  #closed = false;

  constructor(folder: CarryFolder, options: PartReaderOptions) {
    this.#folder = folder;
    this.#options = options;
    this.#memory = options.onlyVerify ? new MemoryInTurn() : new NewMemory();
    this.#hash = partHash(options.onlyVerify ? Math.max(...folder.parts.map((part) => part.sizeBytes)) : 0);
  }

  /** The next bytes, at least one and at most so many. Throws bundle-truncated where there are none. */
  async take(maxBytes: number): Promise<Buffer> {
    if (this.#chunk.length === 0 && !(await this.#fill())) throw this.#endedEarly();
    const taken = this.#chunk.subarray(0, maxBytes);
    this.#chunk = this.#chunk.subarray(taken.length);
    this.position += taken.length;
    return taken;
  }

  /** Exactly so many bytes, together: for headers and the manifest. */
  async exactly(sizeBytes: number): Promise<Buffer> {
    const first = sizeBytes === 0 ? Buffer.alloc(0) : await this.take(sizeBytes);
    if (first.length === sizeBytes) return first;
    const all = Buffer.alloc(sizeBytes);
    let filled = first.copy(all);
    while (filled < sizeBytes) filled += (await this.take(sizeBytes - filled)).copy(all, filled);
    return all;
  }

  /** The next bytes without taking them; fewer where the archive ends. */
  async peek(sizeBytes: number): Promise<Buffer> {
    const rest = this.#chunk;
    if (rest.length >= sizeBytes || !(await this.#fill())) return rest.subarray(0, sizeBytes);
    this.#chunk = Buffer.concat([rest, this.#chunk]);
    return this.peek(sizeBytes);
  }

  /** Whether nothing is left. If so, all parts have been compared with SHA256SUMS. */
  async atEnd(): Promise<boolean> {
    return this.#chunk.length === 0 && !(await this.#fill());
  }

  /**
   * The parts that must be blamed for damage in a range of bytes that has been taken. A part that was compared with SHA256SUMS
   * and is as it says is beyond suspicion; one that was compared and is not takes all of it.
   */
  suspects(start: number, end: number): string[] {
    const touched = partsBetween(this.#folder.parts, start, end);
    const damaged = touched.filter((name) => this.#checked.get(name) === "damaged");
    return damaged.length > 0 ? damaged : touched.filter((name) => this.#checked.get(name) !== "whole");
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#ahead?.catch(() => {});
    // Nothing was written that could be lost; a stick that is gone must not hide the error that said so first.
    await this.#file?.close().catch(() => {});
    this.#file = undefined;
    await this.#hash.close();
  }

  async #fill(): Promise<boolean> {
    const { signal, onBytes } = this.#options;
    for (;;) {
      signal?.throwIfAborted();
      if (this.#closed) throw new Error("the bundle has been closed");
      const part = this.#folder.parts[this.#partIndex];
      if (part === undefined) return false;
      this.#file ??= await this.#open(part);
      const chunk = await (this.#ahead ?? this.#read(this.#file, part));
      this.#ahead = undefined;
      if (chunk.length === 0) {
        await this.#finishPart(part);
        continue;
      }
      this.#partBytes += chunk.length;
      if (this.#partBytes < part.sizeBytes) this.#ahead = this.#read(this.#file, part);
      this.#memory.useUntil(chunk, this.#hash.update(chunk));
      onBytes?.(chunk.length);
      this.#chunk = chunk;
      return true;
    }
  }

  async #open(part: CarryPart): Promise<SequentialFile> {
    try {
      return await openFile(part.path, { bypassCache: this.#options.bypassCache ?? false });
    } catch (error) {
      throw readError(error, part.path);
    }
  }

  #read(file: SequentialFile, part: CarryPart): Promise<Buffer> {
    const reading = this.#memory
      .next()
      .then((memory) => file.read(memory))
      .catch((error) => Promise.reject(readError(error, part.path)));
    // It is awaited later, perhaps never: the error must not count as unhandled meanwhile.
    reading.catch(() => {});
    return reading;
  }

  async #finishPart(part: CarryPart): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
    const sha256 = await this.#hash.digest();
    const sizeBytes = this.#partBytes;
    this.#partBytes = 0;
    this.#partIndex++;

    if (sizeBytes !== part.sizeBytes) {
      throw new DrybagError("bundle-unreadable", `${part.path} changed while it was being read.`, {
        hint: "Wait until copying is finished, then run the same command again.",
      });
    }
    const { checksums } = this.#folder;
    if (checksums === undefined) return;
    this.#options.onCompared?.(part.name);
    if (checksums.get(part.name) === sha256) {
      this.#checked.set(part.name, "whole");
      return;
    }
    this.#checked.set(part.name, "damaged");
    this.#options.report({ parts: [part.name], error: partMismatch(part.name, checksums.has(part.name)) });
  }

  #endedEarly(): DrybagError {
    const last = this.#folder.parts.at(-1)?.name ?? this.#folder.stem;
    return new DrybagError("bundle-truncated", `The bundle ends early, in ${last}.`, {
      hint: copyAgainHint([last]),
    });
  }
}

/** Where the next bytes are read to. */
interface ReadMemory {
  next(): Promise<Buffer>;
  /** Keeps these bytes, which were read to it, as they are until this resolves. */
  useUntil(bytes: Buffer, done: Promise<unknown>): void;
}

/** New each time: what was read before may still be on its way to an engine. */
class NewMemory implements ReadMemory {
  async next(): Promise<Buffer> {
    return Buffer.allocUnsafeSlow(CHUNK_BYTES);
  }

  useUntil(): void {}
}

/** One is read to, one is hashed here and one on the thread; and one for the piece behind that a body holds back. */
const TURNS = 4;

class MemoryInTurn implements ReadMemory {
  readonly #turns: { memory: Buffer; free: Promise<unknown> }[] = [];

  async next(): Promise<Buffer> {
    const oldest = this.#turns.length < TURNS ? undefined : this.#turns.shift();
    const turn = oldest ?? { memory: sharedMemory(CHUNK_BYTES), free: Promise.resolve() };
    this.#turns.push(turn);
    await turn.free;
    return turn.memory;
  }

  useUntil(bytes: Buffer, done: Promise<unknown>): void {
    const turn = this.#turns.find(({ memory }) => memory.buffer === bytes.buffer);
    if (turn) turn.free = done;
  }
}

/** A part whose sha256 is not what SHA256SUMS says, or that it does not list at all. */
export function partMismatch(name: string, listed: boolean): DrybagError {
  if (!listed) {
    return new DrybagError("checksums-invalid", `${CHECKSUMS_FILE} does not list ${name}.`, {
      hint: `Copy ${CHECKSUMS_FILE} and ${name} again from where the bundle was made.`,
    });
  }
  return new DrybagError(
    "digest-mismatch",
    `${name} is damaged: its sha256 is not the one in ${CHECKSUMS_FILE}.`,
    {
      hint: copyAgainHint([name]),
    },
  );
}

function partsBetween(parts: CarryPart[], start: number, end: number): string[] {
  const names: string[] = [];
  let offset = 0;
  for (const { name, sizeBytes } of parts) {
    if (offset < end && offset + sizeBytes > start) names.push(name);
    offset += sizeBytes;
  }
  return names;
}
