/**
 * The only tar headers that a bundle has. They follow from the manifest to the last bit, so that the reader can compare bytes
 * where a tar library would have to interpret them. Encoded here rather than by a library, as each bit is part of the format.
 * Format: POSIX.1-2024, pax, "ustar Interchange Format" and "pax Header Block"; docs/format.md.
 */

export const BLOCK_BYTES = 512;

/** Two blocks of zeros. */
export const END_OF_ARCHIVE_BYTES = 2 * BLOCK_BYTES;

/** The largest number in 11 octal digits: a size above it needs a pax record; a time above it cannot be. */
export const MAX_OCTAL = 8 ** 11 - 1;

export interface TarItem {
  /** A folder's ends with a slash. */
  path: string;
  type: "file" | "directory";
  sizeBytes: number;
  mode: number;
  /** A pax comment, which every tar program ignores. */
  comment?: string;
}

/** All that stands before an item's body: one block, or three with a pax header. */
export function encodeHeader(item: TarItem, mtimeSeconds: number): Buffer {
  const split = splitPath(item.path);
  const records = paxRecords(item, split === undefined);
  const type = item.type === "directory" ? "5" : "0";
  const { name, prefix } = split ?? { name: asciiStart(item.path), prefix: "" };
  const sizeBytes = item.sizeBytes > MAX_OCTAL ? 0 : item.sizeBytes;
  const header = encodeBlock({ name, prefix, type, mode: item.mode, sizeBytes, mtimeSeconds });
  if (records.length === 0) return header;

  const pax = {
    name: "PaxHeader",
    prefix: "",
    type: "x",
    mode: 0o644,
    sizeBytes: records.length,
    mtimeSeconds,
  };
  return Buffer.concat([encodeBlock(pax), records, Buffer.alloc(paddingBytes(records.length)), header]);
}

export function headerSizeBytes(item: TarItem): number {
  const records = paxRecords(item, splitPath(item.path) === undefined).length;
  return records === 0 ? BLOCK_BYTES : 2 * BLOCK_BYTES + records + paddingBytes(records);
}

/** How many zeros follow a body. */
export function paddingBytes(sizeBytes: number): number {
  return (BLOCK_BYTES - (sizeBytes % BLOCK_BYTES)) % BLOCK_BYTES;
}

interface Block {
  name: string;
  prefix: string;
  type: string;
  mode: number;
  sizeBytes: number;
  mtimeSeconds: number;
}

function encodeBlock({ name, prefix, type, mode, sizeBytes, mtimeSeconds }: Block): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  block.write(name, 0, 100, "latin1");
  block.write(octal(mode, 7), 100);
  block.write(octal(0, 7), 108); // uid
  block.write(octal(0, 7), 116); // gid
  block.write(octal(sizeBytes, 11), 124);
  block.write(octal(mtimeSeconds, 11), 136);
  block.write(type, 156);
  block.write("ustar\0" + "00", 257, "latin1");
  block.write(octal(0, 7), 329); // devmajor
  block.write(octal(0, 7), 337); // devminor
  block.write(prefix, 345, 155, "latin1");
  block.write(`${octal(checksum(block), 6)}\0 `, 148, "latin1");
  return block;
}

/** The sum of a block's bytes, with its checksum field taken as spaces. */
export function checksum(block: Uint8Array): number {
  let sum = 8 * 0x20;
  for (let at = 0; at < BLOCK_BYTES; at++) if (at < 148 || at >= 156) sum += block[at] ?? 0;
  return sum;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, "0");
}

/** The name and prefix fields that hold a path, the prefix as short as can be; undefined if they cannot hold it. */
function splitPath(path: string): { name: string; prefix: string } | undefined {
  if (!ASCII.test(path)) return undefined;
  if (path.length <= 100) return { name: path, prefix: "" };
  const slash = path.indexOf("/", path.length - 101);
  if (slash === -1 || slash > 155 || slash === path.length - 1) return undefined;
  return { name: path.slice(slash + 1), prefix: path.slice(0, slash) };
}

const ASCII = /^[\x20-\x7e]*$/;

/** Stands in the name field where a pax record has the path: for people with a hex editor only. */
function asciiStart(path: string): string {
  return Buffer.from(path)
    .subarray(0, 100)
    .toString("latin1")
    .replace(/[^\x20-\x7e]/g, "_");
}

function paxRecords(item: TarItem, withPath: boolean): Buffer {
  const records: string[] = [];
  if (item.comment !== undefined) records.push(paxRecord("comment", item.comment));
  if (withPath) records.push(paxRecord("path", item.path));
  if (item.sizeBytes > MAX_OCTAL) records.push(paxRecord("size", String(item.sizeBytes)));
  return Buffer.from(records.join(""));
}

/** A record begins with its own length in bytes, the digits of that length included. */
function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  const restBytes = Buffer.byteLength(rest);
  let length = restBytes + String(restBytes).length;
  if (length !== restBytes + String(length).length) length++;
  return length + rest;
}
