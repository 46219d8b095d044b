import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { type Readable, Transform, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createZstdCompress } from "node:zlib";
import { DrybagError } from "@drybag/errors";
import { createUnzstd } from "@drybag/format";
import type { ArchiveRecord } from "./backup-record.ts";
import type { TarDigest } from "./tar-digest.ts";

/** Writes a tar into a compressed file, hashed in passing and on the disk when this returns. `digest` sees the tar as it passes. */
export async function writeArchive(
  tar: Readable,
  path: string,
  {
    signal,
    onBytes,
    digest,
  }: { signal: AbortSignal; onBytes(bytes: number): void; digest?: TarDigest | undefined },
): Promise<ArchiveRecord> {
  const hash = createHash("sha256");
  let tarBytes = 0;
  let sizeBytes = 0;
  await pipeline(
    tar,
    passing((chunk) => {
      tarBytes += chunk.length;
      onBytes(chunk.length);
    }),
    ...(digest === undefined ? [] : [digest.passing()]),
    createZstdCompress(),
    passing((chunk) => {
      sizeBytes += chunk.length;
      hash.update(chunk);
    }),
    createWriteStream(path, { mode: 0o600, flags: "wx", flush: true }),
    { signal },
  ).catch((error: unknown) => {
    throw asDiskFull(error, path);
  });
  return { archive: basename(path), sizeBytes, sha256: hash.digest("hex"), tarBytes };
}

/** What a disk without room makes of writing to a path, in our words; other errors as they are. */
export function asDiskFull(error: unknown, path: string): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== "ENOSPC" && code !== "EDQUOT") return error;
  return new DrybagError("disk-full", `The disk is full: ${path} could not be written.`, {
    cause: error,
    hint: "Make room there and run the same command again.",
  });
}

/** Reads a file and compares it with its record. Throws `backup-damaged`. */
export async function verifyArchive(
  path: string,
  record: ArchiveRecord,
  { signal, onBytes }: { signal: AbortSignal; onBytes(bytes: number): void },
): Promise<void> {
  const { size = -1 } = (await stat(path).catch(() => undefined)) ?? {};
  if (size !== record.sizeBytes) {
    const is = size < 0 ? "is missing" : `has ${size} bytes instead of ${record.sizeBytes}`;
    throw damaged(path, is);
  }
  const hash = createHash("sha256");
  await pipeline(
    createReadStream(path, { highWaterMark: 1 << 20 }),
    passing((chunk) => onBytes(chunk.length)),
    hash,
    { signal },
  );
  if (hash.digest("hex") !== record.sha256) throw damaged(path, "is not as it was written");
}

function damaged(path: string, is: string): DrybagError {
  return new DrybagError("backup-damaged", `${path} ${is}.`, {
    hint: "Nothing was changed. Copy the backup again, or take another one.",
  });
}

/** Unpacks a file into a stream that takes its tar. */
export async function readArchive(
  path: string,
  tar: Writable,
  { signal, onBytes }: { signal: AbortSignal; onBytes(bytes: number): void },
): Promise<void> {
  await pipeline(
    createReadStream(path, { highWaterMark: 1 << 20 }),
    createUnzstd(),
    passing((chunk) => onBytes(chunk.length)),
    tar,
    { signal },
  );
}

function passing(see: (chunk: Buffer) => void): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      see(chunk);
      done(null, chunk);
    },
  });
}
