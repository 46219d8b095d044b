import { createHash, type Hash } from "node:crypto";
import { DrybagError } from "@drybag/errors";
import { copyAgainHint, type ReportDamage } from "./damage.ts";
import type { CarryFolder, CarryPart } from "./find-bundle.ts";
import { CHECKSUMS_FILE } from "./names.ts";
import { openFile, type SequentialFile } from "./open-file.ts";
import { readError } from "./read-error.ts";

export interface PartReaderOptions {
  signal?: AbortSignal | undefined;
  /** Told how many more bytes were read. */
  onBytes?: ((bytes: number) => void) | undefined;
  /** Read what the drive has, not what the kernel remembers. */
  bypassCache?: boolean | undefined;
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
  #hash: Hash = createHash("sha256");
  #chunk: Buffer = Buffer.alloc(0);
  /** The next chunk, read while the one before is hashed and used. */
  #ahead: Promise<Buffer> | undefined;
  #closed = false;

  constructor(folder: CarryFolder, options: PartReaderOptions) {
    this.#folder = folder;
    this.#options = options;
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
    const pieces: Buffer[] = [];
    let missing = sizeBytes;
    while (missing > 0) {
      const piece = await this.take(missing);
      pieces.push(piece);
      missing -= piece.length;
    }
    return pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces);
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
      this.#hash.update(chunk);
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
    const reading = file.read().catch((error) => Promise.reject(readError(error, part.path)));
    // It is awaited later, perhaps never: the error must not count as unhandled meanwhile.
    reading.catch(() => {});
    return reading;
  }

  async #finishPart(part: CarryPart): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
    const sha256 = this.#hash.digest("hex");
    this.#hash = createHash("sha256");
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
