import { Duplex, Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { constants, createZstdDecompress } from "node:zlib";
import { corrupt, isSkippable, ZSTD_MAGIC, ZstdFrame } from "./zstd-frame.ts";

/** 2^27 = 128 MiB: what `zstd -d` and the engine take. More would let a small file take all the memory there is. */
export const MAX_WINDOW_LOG = 27;

/**
 * Decompresses zstd, all frames of it. Node's own stops behind the first one without a word, while engines go on; and registries have
 * layers of many frames (zstd:chunked, pzstd). Where a frame ends is read from its own headers. Errors have codes that begin with `ZSTD_`.
 * Format: RFC 8878, section 3.
 */
export function createUnzstd(): Duplex {
  return Duplex.from(unzstd);
}

async function* unzstd(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const source = new ByteSource(chunks);
  while (!(await source.atEnd())) {
    const magic = await source.exactly(4);
    if (isSkippable(magic.readUInt32LE())) {
      await source.skip((await source.exactly(4)).readUInt32LE());
      continue;
    }
    const decoder = createZstdDecompress({
      chunkSize: CHUNK_BYTES,
      params: { [constants.ZSTD_d_windowLogMax]: MAX_WINDOW_LOG },
    });
    const fed = pipeline(Readable.from(frame(magic, source), { objectMode: false }), decoder);
    // It fails together with the decoder, whose error is the one that counts.
    fed.catch(() => undefined);
    yield* decoder;
    await fed;
  }
}

/** Of what comes out: larger ones are fewer to pass on. */
const CHUNK_BYTES = 256 * 1024;

/** Passes a frame on in the pieces that it comes in: thousands of small ones would cost more than decompressing them. */
async function* frame(magic: Buffer, source: ByteSource): AsyncGenerator<Buffer> {
  if (magic.readUInt32LE() !== ZSTD_MAGIC) throw corrupt("has something else behind a frame");
  const found = new ZstdFrame();
  yield magic;
  while (!found.isReached) {
    const piece = await source.some();
    const length = found.take(piece);
    if (length < piece.length) source.giveBack(piece.subarray(length));
    yield piece.subarray(0, length);
  }
}

/** Bytes that are asked for, out of chunks of any size. */
class ByteSource {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  async atEnd(): Promise<boolean> {
    while (this.#rest.length === 0) {
      const next = await this.#chunks.next();
      if (next.done) return true;
      this.#rest = next.value;
    }
    return false;
  }

  /** Whatever is there, one byte at least. */
  async some(): Promise<Buffer> {
    if (await this.atEnd()) throw corrupt("ends early");
    const found = this.#rest;
    this.#rest = Buffer.alloc(0);
    return found;
  }

  giveBack(bytes: Buffer): void {
    this.#rest = bytes;
  }

  async exactly(sizeBytes: number): Promise<Buffer> {
    const found: Buffer[] = [];
    for await (const piece of this.pieces(sizeBytes)) found.push(piece);
    return Buffer.concat(found);
  }

  async skip(sizeBytes: number): Promise<void> {
    for await (const _ of this.pieces(sizeBytes));
  }

  async *pieces(sizeBytes: number): AsyncGenerator<Buffer> {
    let missing = sizeBytes;
    while (missing > 0) {
      if (await this.atEnd()) throw corrupt("ends early");
      const piece = this.#rest.subarray(0, missing);
      this.#rest = this.#rest.subarray(piece.length);
      missing -= piece.length;
      yield piece;
    }
  }
}
