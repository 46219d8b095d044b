import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { type PartHash, partHash, sharedMemory } from "./part-hash.ts";
import { writeError } from "./write-error.ts";
import { fsyncDirectory, temporaryName } from "./write-file.ts";

export interface WrittenPart {
  name: string;
  sizeBytes: number;
  sha256: string;
}

const BUFFER_BYTES = 512 * 1024;

/**
 * How much may wait in the page cache. Without it a stick takes gigabytes in seconds and then minutes for the fsync, during
 * which nothing can be stopped and no progress is true.
 */
const MAX_UNSYNCED_BYTES = 64 * 1024 ** 2;

/**
 * Writes one stream of bytes into parts of equal size, the last one shorter, and hashes each in passing. All parts get their
 * names at the end, when all are on the disk.
 */
export class PartWriter {
  readonly #directory: string;
  readonly #names: string[];
  readonly #partSizeBytes: number;
  readonly #hash: PartHash;
  readonly #finished: WrittenPart[] = [];
  #file: FileHandle | undefined;
  #partBytes = 0;
  #unsyncedBytes = 0;
  /** Resolves to the error, if there is one, so that it cannot be left unhandled. */
  #syncing: Promise<unknown> = Promise.resolve();
  /** Of the bytes before those that are buffered now: when it resolves, their memory is free again. */
  #writing: Promise<unknown> = Promise.resolve();
  #buffer = sharedMemory(BUFFER_BYTES);
  #spare = sharedMemory(BUFFER_BYTES);
  #buffered = 0;
  /** Resolves to the error, if there is one. */
  #lastOnDisk: Promise<unknown> = Promise.resolve();

  constructor(directory: string, names: string[], partSizeBytes: number, totalBytes: number) {
    this.#directory = directory;
    this.#names = names;
    this.#partSizeBytes = partSizeBytes;
    this.#hash = partHash(totalBytes);
  }

  /** Takes a copy: the caller may reuse the bytes when the promise resolves. */
  async write(bytes: Uint8Array): Promise<void> {
    let rest = bytes;
    while (rest.length > 0) {
      const room = Math.min(
        BUFFER_BYTES - this.#buffered,
        this.#partSizeBytes - this.#partBytes - this.#buffered,
      );
      const piece = rest.subarray(0, room);
      this.#buffer.set(piece, this.#buffered);
      this.#buffered += piece.length;
      rest = rest.subarray(piece.length);
      if (this.#buffered === BUFFER_BYTES) await this.#flush();
      if (this.#partBytes + this.#buffered === this.#partSizeBytes) await this.#finishPart();
    }
  }

  /** All bytes are in the files; those of the last part may still be on their way to the disk: see onDisk. */
  async finish(): Promise<void> {
    if (this.#buffered + this.#partBytes === 0) return;
    this.#closeLast(await this.#finishBytes());
  }

  /** All bytes are on the disk. Throws disk-full, not-writable. */
  async onDisk(): Promise<void> {
    const error = await this.#lastOnDisk;
    if (error !== undefined) throw error;
  }

  /** After finish: gives the parts their names. The bundle is there, whole, when this and onDisk have resolved. */
  async commit(): Promise<WrittenPart[]> {
    await this.#hash.close();
    for (const { name } of this.#finished) {
      const path = join(this.#directory, name);
      await rename(temporaryName(path), path).catch((error) => Promise.reject(writeError(error, path)));
    }
    await fsyncDirectory(this.#directory);
    return this.#finished;
  }

  /** Leaves nothing behind, whatever was written or named. */
  async discard(): Promise<void> {
    await this.#writing.catch(() => {});
    await this.#hash.close();
    const started = this.#names.slice(0, this.#finished.length + 1);
    for (const name of started) {
      const path = join(this.#directory, name);
      // Removed before it is closed: what still waits in the page cache need not be written then.
      await rm(temporaryName(path), { force: true });
      await rm(path, { force: true });
    }
    await this.#syncing;
    await this.#lastOnDisk;
    await this.#file?.close().catch(() => {});
    this.#file = undefined;
  }

  get #partName(): string {
    const name = this.#names[this.#finished.length];
    if (name === undefined) throw new Error("more bytes than were announced");
    return name;
  }

  /** Hashes while the disk writes, and leaves both under way while the caller fetches the next bytes. */
  async #flush(): Promise<void> {
    const bytes = this.#buffer.subarray(0, this.#buffered);
    try {
      await this.#writing;
      this.#file ??= await open(temporaryName(join(this.#directory, this.#partName)), "w", 0o644);
      this.#writing = Promise.all([writeFully(this.#file, bytes), this.#hash.update(bytes)]);
      this.#writing.catch(() => {});
      [this.#buffer, this.#spare] = [this.#spare, this.#buffer];
      this.#partBytes += bytes.length;
      this.#unsyncedBytes += bytes.length;
      this.#buffered = 0;
      if (this.#unsyncedBytes >= MAX_UNSYNCED_BYTES) await this.#startSync(this.#file);
    } catch (error) {
      throw writeError(error, join(this.#directory, this.#partName));
    }
  }

  async #startSync(file: FileHandle): Promise<void> {
    await this.#syncFinished();
    this.#unsyncedBytes = 0;
    this.#syncing = file.datasync().then(
      () => undefined,
      (error) => error,
    );
  }

  async #syncFinished(): Promise<void> {
    const error = await this.#syncing;
    if (error !== undefined) throw error;
  }

  async #finishPart(): Promise<void> {
    const { file, path } = await this.#finishBytes();
    await this.#bringToDisk(file, path);
  }

  #closeLast({ file, path }: WrittenFile): void {
    this.#lastOnDisk = this.#bringToDisk(file, path).then(
      () => undefined,
      (error) => error,
    );
  }

  /** Writes what is left of a part, and begins the next one. */
  async #finishBytes(): Promise<WrittenFile> {
    await this.#flush();
    const name = this.#partName;
    const path = join(this.#directory, name);
    try {
      await this.#writing;
    } catch (error) {
      throw writeError(error, path);
    }
    const file = this.#file;
    this.#file = undefined;
    this.#finished.push({ name, sizeBytes: this.#partBytes, sha256: await this.#hash.digest() });
    this.#partBytes = 0;
    this.#unsyncedBytes = 0;
    return { file, path };
  }

  async #bringToDisk(file: FileHandle | undefined, path: string): Promise<void> {
    try {
      await this.#syncFinished();
      await file?.sync();
    } catch (error) {
      throw writeError(error, path);
    } finally {
      await file?.close().catch(() => {});
    }
  }
}

interface WrittenFile {
  file: FileHandle | undefined;
  path: string;
}

async function writeFully(file: FileHandle, bytes: Buffer): Promise<void> {
  let written = 0;
  while (written < bytes.length) written += (await file.write(bytes, written)).bytesWritten;
}
