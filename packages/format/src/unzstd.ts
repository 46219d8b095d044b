import { Duplex, Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { constants, createZstdDecompress } from "node:zlib";

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
    if ((magic.readUInt32LE() & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC) {
      await source.skip((await source.exactly(4)).readUInt32LE());
      continue;
    }
    const decoder = createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: MAX_WINDOW_LOG } });
    const fed = pipeline(Readable.from(frame(magic, source), { objectMode: false }), decoder);
    // It fails together with the decoder, whose error is the one that counts.
    fed.catch(() => undefined);
    yield* decoder;
    await fed;
  }
}

const MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;

async function* frame(magic: Buffer, source: ByteSource): AsyncGenerator<Buffer> {
  if (magic.readUInt32LE() !== MAGIC) throw corrupt("has something else behind a frame");
  const descriptor = await source.exactly(1);
  const flags = descriptor.readUInt8();
  yield Buffer.concat([magic, descriptor, await source.exactly(headerRestBytes(flags))]);
  for (let isLast = false; !isLast; ) {
    const block = await source.exactly(3);
    const header = block.readUIntLE(0, 3);
    isLast = (header & 1) === 1;
    const type = (header >> 1) & 3;
    if (type === 3) throw corrupt("has a block of an unknown type");
    yield block;
    // A block of one repeated byte has that byte only.
    yield* source.pieces(type === 1 ? 1 : header >> 3);
  }
  if ((flags & 4) !== 0) yield await source.exactly(4);
}

/** What follows the descriptor of a frame: window, dictionary and size of the content. */
export function headerRestBytes(descriptor: number): number {
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0;
  return (isSingleSegment ? 0 : 1) + dictionaryBytes + contentSizeBytes(descriptor);
}

/** How many bytes tell the size of a frame's content; none if it is not told. */
export function contentSizeBytes(descriptor: number): number {
  const isSingleSegment = (descriptor & 0x20) !== 0;
  return [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
}

function corrupt(what: string): Error {
  return Object.assign(new Error(`zstd: ${what}`), { code: "ZSTD_error_corruption_detected" });
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
