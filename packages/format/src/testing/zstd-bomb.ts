import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { createZstdCompress } from "node:zlib";

const PIECE = Buffer.alloc(1_000_000);
const PIECES = 200;

/** 200 MB of zeros in a few kilobytes. Made in pieces: who tests how much memory a bomb takes must not need it to make one. */
export async function zstdBomb(): Promise<Buffer> {
  const zstd = createZstdCompress({ pledgedSrcSize: PIECES * PIECE.length });
  return buffer(Readable.from(Array.from({ length: PIECES }, () => PIECE)).pipe(zstd));
}
