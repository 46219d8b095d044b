import { createHash } from "node:crypto";
import { readdir, statfs } from "node:fs/promises";
import { addAbortSignal, Readable } from "node:stream";
import { DrybagError } from "@drybag/errors";
import { archiveSizeBytes, entryItem, selfDescribedItem } from "./archive-items.ts";
import type { BundleFileEntry, Manifest } from "./manifest.ts";
import {
  DEFAULT_PART_SIZE_BYTES,
  MANIFEST_ENTRY,
  MAX_PARTS,
  MAX_SIGNATURE_BYTES,
  partNames,
  SIGNATURE_ENTRY,
} from "./names.ts";
import { parseManifest, serializeManifest } from "./parse-manifest.ts";
import { bundleFileName } from "./part-names.ts";
import { PartWriter, type WrittenPart } from "./part-writer.ts";
import { sha256Hex } from "./sha256.ts";
import { END_OF_ARCHIVE_BYTES, encodeHeader, MAX_OCTAL, paddingBytes, type TarItem } from "./tar-header.ts";
import { writeError } from "./write-error.ts";

export interface WriteBundleOptions {
  /** An existing folder. */
  directory: string;
  /** Name of the tar without `.tar`. */
  stem: string;
  manifest: Manifest;
  /** Signature over the bytes of serializeManifest(manifest). */
  signature?: Uint8Array;
  /**
   * Called for each file entry in order, when its turn has come. Pieces need to be good until the next one is asked for only. A stream is
   * destroyed, and another source ended, if it is not read to its end.
   */
  open(entry: BundleFileEntry): AsyncIterable<Uint8Array> | Promise<AsyncIterable<Uint8Array>>;
  /** Infinity for one file. */
  partSizeBytes?: number;
  /** mtime of every entry: SOURCE_DATE_EPOCH. */
  mtimeSeconds?: number;
  /** Do not wait for the last bytes to reach the disk: who asks for it awaits `onDisk` before anybody relies on the files. */
  syncLater?: boolean;
  signal?: AbortSignal;
  /** Told how many more bytes were taken. */
  onBytes?(bytes: number): void;
}

export interface WrittenBundle {
  /** The bundle's identity. */
  manifestSha256: string;
  sizeBytes: number;
  parts: WrittenPart[];
  /** Resolves when all bytes are on the disk. Throws disk-full, not-writable. */
  onDisk(): Promise<void>;
}

/**
 * Writes the tar of a bundle, in parts where it is larger than one. The same manifest and contents give the same bytes. Every
 * body is checked against its size and sha256. The files have their names only when all are complete and on the disk; on any
 * failure none is left. Throws manifest-invalid, digest-mismatch, disk-full, not-writable, output-exists, usage, or the
 * signal's reason.
 */
export async function writeBundle(options: WriteBundleOptions): Promise<WrittenBundle> {
  const { directory, stem, signature, partSizeBytes = DEFAULT_PART_SIZE_BYTES, mtimeSeconds = 0 } = options;
  const manifestBytes = serializeManifest(options.manifest);
  // What a reader would refuse must not be written in the first place.
  const manifest = parseManifest(manifestBytes);
  const sizeBytes = archiveSizeBytes(manifestBytes, signature, manifest.entries);
  const names = plannedParts(`${stem}.tar`, sizeBytes, partSizeBytes);
  refuseImpossible(mtimeSeconds, signature);
  await refuseExisting(directory, stem);
  await refuseFullDisk(directory, sizeBytes);

  const parts = new PartWriter(directory, names, partSizeBytes, sizeBytes);
  const archive = new ArchiveWriter(parts, mtimeSeconds, sizeBytes, options);
  try {
    await archive.addBytes(selfDescribedItem(MANIFEST_ENTRY, manifestBytes), manifestBytes);
    if (signature) await archive.addBytes(selfDescribedItem(SIGNATURE_ENTRY, signature), signature);
    for (const entry of manifest.entries) {
      if (entry.type === "file") await archive.addFile(entry);
      else await archive.addBytes(entryItem(entry), Buffer.alloc(0));
    }
    await archive.end();
    await parts.finish();
    if (!options.syncLater) await parts.onDisk();
    options.signal?.throwIfAborted();
    const written = { manifestSha256: sha256Hex(manifestBytes), sizeBytes, parts: await parts.commit() };
    return { ...written, onDisk: () => parts.onDisk() };
  } catch (error) {
    await parts.discard();
    throw error;
  }
}

type WriterOptions = Pick<WriteBundleOptions, "directory" | "open" | "signal" | "onBytes">;

/** How often to look whether what is left to write still fits: others may fill the disk meanwhile. */
const CHECK_SPACE_BYTES = 64 * 1024 ** 2;

class ArchiveWriter {
  readonly #parts: PartWriter;
  readonly #mtimeSeconds: number;
  readonly #options: WriterOptions;
  #missingBytes: number;
  #uncheckedBytes = 0;

  constructor(parts: PartWriter, mtimeSeconds: number, sizeBytes: number, options: WriterOptions) {
    this.#parts = parts;
    this.#mtimeSeconds = mtimeSeconds;
    this.#missingBytes = sizeBytes;
    this.#options = options;
  }

  async addBytes(item: TarItem, content: Uint8Array): Promise<void> {
    await this.#write(encodeHeader(item, this.#mtimeSeconds));
    await this.#write(content);
    await this.#write(Buffer.alloc(paddingBytes(item.sizeBytes)));
  }

  async addFile(entry: BundleFileEntry): Promise<void> {
    await this.#write(encodeHeader(entryItem(entry), this.#mtimeSeconds));
    const hash = createHash("sha256");
    let sizeBytes = 0;
    for await (const chunk of await this.#openBody(entry)) {
      sizeBytes += chunk.length;
      if (sizeBytes > entry.sizeBytes) break;
      hash.update(chunk);
      await this.#write(chunk);
    }
    if (sizeBytes !== entry.sizeBytes || hash.digest("hex") !== entry.sha256) throw changed(entry.path);
    await this.#write(Buffer.alloc(paddingBytes(entry.sizeBytes)));
  }

  async end(): Promise<void> {
    await this.#write(Buffer.alloc(END_OF_ARCHIVE_BYTES));
  }

  /** An abort ends the body too, which may wait for something that never comes. */
  async *#openBody(entry: BundleFileEntry): AsyncGenerator<Uint8Array> {
    const { open, signal } = this.#options;
    signal?.throwIfAborted();
    const body = await open(entry);
    try {
      yield* signal && body instanceof Readable ? addAbortSignal(signal, body) : body;
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    } finally {
      if (body instanceof Readable) body.destroy();
    }
  }

  async #write(bytes: Uint8Array): Promise<void> {
    this.#options.signal?.throwIfAborted();
    await this.#parts.write(bytes);
    this.#options.onBytes?.(bytes.length);
    this.#missingBytes -= bytes.length;
    this.#uncheckedBytes += bytes.length;
    if (this.#uncheckedBytes < CHECK_SPACE_BYTES) return;
    this.#uncheckedBytes = 0;
    // What waits in the page cache has its place on the disk already, or soon, and is not counted: this may be late, never early.
    await refuseFullDisk(this.#options.directory, this.#missingBytes);
  }
}

function changed(path: string): DrybagError {
  return new DrybagError("digest-mismatch", `${path} is not what it was when the bundle was planned.`, {
    hint: "Something wrote to it meanwhile. Pack again when nothing does.",
  });
}

function plannedParts(tarName: string, sizeBytes: number, partSizeBytes: number): string[] {
  if (!(partSizeBytes > 0) || !(Number.isSafeInteger(partSizeBytes) || partSizeBytes === Infinity)) {
    throw new DrybagError(
      "usage",
      `The size of parts must be a whole number of bytes, not ${partSizeBytes}.`,
    );
  }
  const count = partSizeBytes === Infinity ? 1 : Math.ceil(sizeBytes / partSizeBytes);
  if (count > MAX_PARTS) {
    throw new DrybagError(
      "usage",
      `Parts of ${partSizeBytes} bytes would be ${count} files; ${MAX_PARTS} are allowed.`,
    );
  }
  return partNames(tarName, count);
}

function refuseImpossible(mtimeSeconds: number, signature: Uint8Array | undefined): void {
  if (!Number.isInteger(mtimeSeconds) || mtimeSeconds < 0 || mtimeSeconds > MAX_OCTAL) {
    throw new DrybagError("usage", `${mtimeSeconds} is not a time in whole seconds that a tar can hold.`);
  }
  if (signature && (signature.length === 0 || signature.length > MAX_SIGNATURE_BYTES)) {
    throw new DrybagError("internal", `A signature of ${signature.length} bytes cannot be right.`);
  }
}

/** Parts of another run beside ours would look like one bundle. */
async function refuseExisting(directory: string, stem: string): Promise<void> {
  const names = await readdir(directory).catch((error) => Promise.reject(writeError(error, directory)));
  const existing = names.find((name) => bundleFileName(name)?.stem === stem);
  if (existing === undefined) return;
  throw new DrybagError("output-exists", `${existing} already exists in ${directory}.`, {
    hint: "Remove it, or choose another folder with -o.",
  });
}

async function refuseFullDisk(directory: string, sizeBytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(directory);
  if (bavail * bsize >= sizeBytes) return;
  throw new DrybagError(
    "disk-full",
    `The bundle needs ${sizeBytes} bytes; ${directory} has ${bavail * bsize} bytes free.`,
    { hint: "Free some space, or choose another folder with -o." },
  );
}
