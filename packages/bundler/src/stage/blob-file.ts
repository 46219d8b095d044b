import { createHash } from "node:crypto";
import { type FileHandle, open, rm } from "node:fs/promises";

/** Enough that the disk is asked seldom. */
const BATCH_BYTES = 512 * 1024;

/** A file that is written from its start to its end, and hashed in passing. */
export class BlobFile {
  sizeBytes = 0;
  readonly path: string;
  readonly #file: FileHandle;
  readonly #hash = createHash("sha256");
  #batch: Buffer[] = [];
  #batchBytes = 0;

  private constructor(path: string, file: FileHandle) {
    this.path = path;
    this.#file = file;
  }

  /** Makes the file, which must not be there. */
  static async create(path: string): Promise<BlobFile> {
    return new BlobFile(path, await open(path, "wx"));
  }

  /** Keeps the bytes until they are written: they must not change. */
  async write(bytes: Buffer): Promise<void> {
    this.#hash.update(bytes);
    this.sizeBytes += bytes.length;
    this.#batch.push(bytes);
    this.#batchBytes += bytes.length;
    if (this.#batchBytes >= BATCH_BYTES) await this.#flush();
  }

  /** All bytes are in the file; gives their digest. */
  async finish(): Promise<string> {
    await this.#flush();
    await this.#file.close();
    return `sha256:${this.#hash.digest("hex")}`;
  }

  async discard(): Promise<void> {
    await this.#file.close().catch(() => undefined);
    await rm(this.path, { force: true });
  }

  async #flush(): Promise<void> {
    let batch = this.#batch;
    this.#batch = [];
    this.#batchBytes = 0;
    while (batch.length > 0) {
      const { bytesWritten } = await this.#file.writev(batch);
      batch = behind(batch, bytesWritten);
    }
  }
}

/** What is left of buffers when so many bytes of them are written. */
function behind(buffers: Buffer[], writtenBytes: number): Buffer[] {
  let written = writtenBytes;
  const left: Buffer[] = [];
  for (const buffer of buffers) {
    const skipped = Math.min(written, buffer.length);
    written -= skipped;
    if (skipped < buffer.length) left.push(buffer.subarray(skipped));
  }
  return left;
}
