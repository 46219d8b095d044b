import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { DrybagError } from "@drybag/errors";

/** A file that is read from its start to its end. */
export interface SequentialFile extends AsyncDisposable {
  /** The next bytes, in this memory; none at the end. */
  read(memory: Buffer): Promise<Buffer>;
  close(): Promise<void>;
}

/** How much to read at once; more is not read even where there is memory for it. */
export const CHUNK_BYTES = 256 * 1024;

/**
 * Opens a file for reading. With `bypassCache`, what comes is what the drive has, and not what the kernel remembers of having written
 * (O_DIRECT, open(2)). What a drive keeps in memory of its own cannot be bypassed. Throws media-unreadable where the file system cannot do
 * this, bundle-unreadable for a folder, a pipe or a device, and the errors of the file system as they are.
 */
export async function openFile(path: string, { bypassCache = false } = {}): Promise<SequentialFile> {
  // Not on every system that this can run on.
  const { O_RDONLY, O_NONBLOCK = 0, O_DIRECT } = constants as typeof constants & { O_DIRECT?: number };
  if (bypassCache && O_DIRECT === undefined) throw cannotBypass(path);
  // Opening a pipe would wait for ever for somebody who writes to it.
  const flags = O_RDONLY | O_NONBLOCK | (bypassCache ? (O_DIRECT ?? 0) : 0);
  const file = await open(path, flags).catch((error) => {
    throw bypassCache && error.code === "EINVAL" ? cannotBypass(path, error) : error;
  });
  try {
    if (!(await file.stat()).isFile()) throw notAFile(path);
    return bypassCache ? await pastCache(file, path) : throughCache(file);
  } catch (error) {
    await file.close();
    throw error;
  }
}

function throughCache(file: FileHandle): SequentialFile {
  return {
    async read(memory) {
      const { bytesRead } = await file.read(memory, 0, Math.min(memory.length, CHUNK_BYTES));
      return memory.subarray(0, bytesRead);
    },
    close: () => file.close(),
    [Symbol.asyncDispose]: () => file.close(),
  };
}

/** Drives take memory only at round addresses. 4096 is enough for every one there is. */
const ALIGNMENT_BYTES = 4096;
/** What malloc(3) aligns to: one of the addresses this far apart is a round one. */
const STEP_BYTES = 16;

async function pastCache(file: FileHandle, path: string): Promise<SequentialFile> {
  const aligned = Buffer.allocUnsafeSlow(CHUNK_BYTES + ALIGNMENT_BYTES);
  const offset = await findAlignedOffset(file, aligned, path);
  let position = 0;
  return {
    async read(memory) {
      const { bytesRead } = await file.read(aligned, offset, Math.min(memory.length, CHUNK_BYTES), position);
      position += bytesRead;
      aligned.copy(memory, 0, offset, offset + bytesRead);
      return memory.subarray(0, bytesRead);
    },
    close: () => file.close(),
    [Symbol.asyncDispose]: () => file.close(),
  };
}

/** JavaScript does not tell where its memory lies; reading does, by failing anywhere else. */
async function findAlignedOffset(file: FileHandle, memory: Buffer, path: string): Promise<number> {
  for (let offset = 0; offset < ALIGNMENT_BYTES; offset += STEP_BYTES) {
    try {
      await file.read(memory, offset, ALIGNMENT_BYTES, 0);
      return offset;
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EINVAL")) throw error;
    }
  }
  throw cannotBypass(path);
}

function notAFile(path: string): DrybagError {
  return new DrybagError("bundle-unreadable", `${path} is not a file.`, {
    hint: "Copy it again from where the bundle was made.",
  });
}

function cannotBypass(path: string, cause?: unknown): DrybagError {
  return new DrybagError("media-unreadable", `${path} cannot be read past the computer's memory.`, {
    hint: "This file system does not allow it: unplug the medium, plug it in again, and run 'drybag verify' on it.",
    cause,
  });
}
