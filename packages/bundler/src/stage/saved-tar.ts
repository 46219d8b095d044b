import { DrybagError } from "@drybag/errors";
import { ArchiveSource } from "./archive-source.ts";

export interface TarEntry {
  name: string;
  /** One of the type flags of ustar: `0` is a file, `2` a symbolic link. */
  type: string;
  linkName: string;
  sizeBytes: number;
  /** In pieces that are good until the next one is asked for. What is not read is passed over. */
  body: AsyncGenerator<Buffer, void>;
}

const BLOCK_BYTES = 512;
/** Names and links; more is no such record. */
const LARGEST_RECORD_BYTES = 1024 * 1024;

/**
 * Reads an archive that an engine made, in one pass, and without a copy of what is in it: a library's streams cost several times as much
 * processor time as hashing. Formats: ustar, pax and GNU's long names; see tar(5). What follows the end of the archive is left to be read.
 * Throws `docker-failed` where it is cut or is no tar.
 */
export async function* readTar(archive: AsyncIterable<Uint8Array>): AsyncGenerator<TarEntry, void> {
  const source = new ArchiveSource(archive);
  let extension: Partial<TarEntry> = {};
  let hasEnded = false;
  try {
    for (;;) {
      const header = await source.copy(BLOCK_BYTES);
      if (header.length < BLOCK_BYTES) throw broken("ends without an end");
      hasEnded = header.every((byte) => byte === 0);
      if (hasEnded) return;
      const own = parseHeader(header);
      if (EXTENSIONS.has(own.type)) {
        const record = await readRecord(source, own.sizeBytes);
        extension = { ...extension, ...parseExtension(own.type, record) };
        continue;
      }
      const entry = { ...own, ...extension };
      extension = {};
      const left = { bytes: entry.sizeBytes };
      yield { ...entry, body: bodyOf(source, left) };
      for await (const _ of bodyOf(source, left));
      await source.copy(paddingBytes(entry.sizeBytes));
    }
  } finally {
    if (!hasEnded) source.close();
  }
}

/** Headers that say something about the next entry: pax, pax for all, GNU's long name and long link. */
const EXTENSIONS = new Set(["x", "g", "L", "K"]);

type Header = Omit<TarEntry, "body">;

function parseHeader(header: Buffer): Header {
  if (Number.parseInt(text(header, 148, 8), 8) !== checksum(header)) throw broken("has a damaged header");
  const prefix = text(header, 257, 6) === "ustar" ? text(header, 345, 155) : "";
  const name = text(header, 0, 100);
  return {
    name: prefix === "" ? name : `${prefix}/${name}`,
    type: header[156] === 0 ? "0" : text(header, 156, 1),
    linkName: text(header, 157, 100),
    sizeBytes: parseSize(header),
  };
}

/** Octal digits, or GNU's form for what does not fit into eleven of them. */
function parseSize(header: Buffer): number {
  const isBinary = ((header[124] ?? 0) & 0x80) !== 0;
  const size = isBinary
    ? Number(header.readBigUInt64BE(128))
    : Number.parseInt(text(header, 124, 12).trim() || "0", 8);
  if (!Number.isSafeInteger(size)) throw broken("has an entry of an impossible size");
  return size;
}

/** All bytes of a header, with spaces where the sum itself stands. */
function checksum(header: Buffer): number {
  let sum = 8 * 0x20;
  for (const [at, byte] of header.entries()) if (at < 148 || at >= 156) sum += byte;
  return sum;
}

function text(header: Buffer, offset: number, sizeBytes: number): string {
  const field = header.subarray(offset, offset + sizeBytes);
  const end = field.indexOf(0);
  return field.toString("utf8", 0, end === -1 ? sizeBytes : end);
}

async function readRecord(source: ArchiveSource, sizeBytes: number): Promise<Buffer> {
  if (sizeBytes > LARGEST_RECORD_BYTES) throw broken("has a record that is too large");
  const record = await source.copy(sizeBytes);
  await source.copy(paddingBytes(sizeBytes));
  if (record.length < sizeBytes) throw broken("ends early");
  return record;
}

function parseExtension(type: string, record: Buffer): Partial<Header> {
  if (type === "L") return { name: text(record, 0, record.length) };
  if (type === "K") return { linkName: text(record, 0, record.length) };
  return type === "x" ? parsePax(record) : {};
}

/** Lines of `<length> <key>=<value>`; the length counts itself. */
function parsePax(record: Buffer): Partial<Header> {
  const found: Partial<Header> = {};
  for (let start = 0; start < record.length; ) {
    const space = record.indexOf(0x20, start);
    const sizeBytes = Number(record.toString("latin1", start, space));
    if (space === -1 || !(sizeBytes > 0)) throw broken("has a damaged record");
    const line = record.toString("utf8", space + 1, start + sizeBytes - 1);
    const value = line.slice(line.indexOf("=") + 1);
    if (line.startsWith("path=")) found.name = value;
    if (line.startsWith("linkpath=")) found.linkName = value;
    if (line.startsWith("size=")) found.sizeBytes = Number(value);
    start += sizeBytes;
  }
  return found;
}

async function* bodyOf(source: ArchiveSource, left: { bytes: number }): AsyncGenerator<Buffer, void> {
  while (left.bytes > 0) {
    const piece = await source.take(left.bytes);
    if (piece.length === 0) throw broken("ends early");
    left.bytes -= piece.length;
    yield piece;
  }
}

function paddingBytes(sizeBytes: number): number {
  return -sizeBytes & (BLOCK_BYTES - 1);
}

function broken(what: string): DrybagError {
  return new DrybagError("docker-failed", `The engine's archive ${what}.`, {
    hint: "Look at the engine's log and free disk space, then pack again.",
  });
}
