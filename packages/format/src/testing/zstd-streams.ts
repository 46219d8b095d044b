import { PassThrough } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { constants, createZstdCompress, zstdCompressSync } from "node:zlib";

/** One frame that tells the size of its content. */
export function toldFrame(content: Buffer): Buffer {
  return zstdCompressSync(content);
}

/** One frame that does not, as encoders write that are given a stream. */
export async function untoldFrame(content: Buffer): Promise<Buffer> {
  const packed = new PassThrough();
  const encoder = createZstdCompress({ params: { [constants.ZSTD_c_contentSizeFlag]: 0 } });
  const [found] = await Promise.all([buffer(packed), pipeline([content], encoder, packed)]);
  return found;
}

/** A frame by hand, of a window of 1 MiB; the size that it tells may be a lie. Each block is `[type, size]` with what stands in it. */
export function forgedFrame(toldBytes: number | undefined, blocks: [number, number, Buffer][]): Buffer {
  const size = Buffer.alloc(toldBytes === undefined ? 0 : 8);
  if (toldBytes !== undefined) size.writeBigUInt64LE(BigInt(toldBytes));
  const descriptor = toldBytes === undefined ? 0x00 : 0xc0;
  const pieces = blocks.map(([type, sizeBytes, content], index) => {
    const header = Buffer.alloc(3);
    header.writeUIntLE((sizeBytes << 3) | (type << 1) | (index === blocks.length - 1 ? 1 : 0), 0, 3);
    return Buffer.concat([header, content]);
  });
  return Buffer.concat([Buffer.from("28b52ffd", "hex"), Buffer.from([descriptor, 0x50]), size, ...pieces]);
}

export const RLE_BLOCK = 1;
export const COMPRESSED_BLOCK = 2;

/** What a decompressor steps over. */
export function skippableFrame(sizeBytes: number): Buffer {
  const header = Buffer.from("5f2a4d1800000000", "hex");
  header.writeUInt32LE(sizeBytes, 4);
  return Buffer.concat([header, Buffer.alloc(sizeBytes, 7)]);
}
