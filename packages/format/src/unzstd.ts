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
const MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;

/** Passes a frame on in the pieces that it comes in: thousands of small ones would cost more than decompressing them. */
async function* frame(magic: Buffer, source: ByteSource): AsyncGenerator<Buffer> {
  if (magic.readUInt32LE() !== MAGIC) throw corrupt("has something else behind a frame");
  const end = new FrameEnd();
  yield magic;
  while (!end.isReached) {
    const piece = await source.some();
    const length = end.take(piece);
    if (length < piece.length) source.giveBack(piece.subarray(length));
    yield piece.subarray(0, length);
  }
}

/** Looks for the end of a frame in bytes that pass by, the first of which follows the magic number. */
class FrameEnd {
  isReached = false;
  #next: "descriptor" | "block" | "checksum" = "descriptor";
  #head: number[] = [];
  #skip = 0;
  #isLast = false;
  #hasChecksum = false;

  /** How many of the bytes belong to the frame. */
  take(bytes: Buffer): number {
    let at = 0;
    while (at < bytes.length && !this.isReached) {
      if (this.#skip > 0) {
        const skipped = Math.min(this.#skip, bytes.length - at);
        this.#skip -= skipped;
        at += skipped;
      } else {
        this.#head.push(bytes.readUInt8(at));
        at += 1;
      }
      if (this.#skip === 0) this.#read();
    }
    return at;
  }

  /** What the bytes collected so far say of what follows. */
  #read(): void {
    const [first = 0, second = 0, third = 0] = this.#head;
    if (this.#next === "descriptor" && this.#head.length === 1) {
      this.#hasChecksum = (first & 4) !== 0;
      this.#goOn("block", headerRestBytes(first));
    } else if (this.#next === "block" && this.#head.length === 0 && this.#isLast) {
      if (this.#hasChecksum) this.#goOn("checksum", 4);
      else this.isReached = true;
    } else if (this.#next === "block" && this.#head.length === 3) {
      const header = first | (second << 8) | (third << 16);
      this.#isLast = (header & 1) === 1;
      const type = (header >> 1) & 3;
      if (type === 3) throw corrupt("has a block of an unknown type");
      // A block of one repeated byte has that byte only.
      this.#goOn("block", type === 1 ? 1 : header >> 3);
    } else if (this.#next === "checksum") {
      this.isReached = true;
    }
  }

  #goOn(next: "block" | "checksum", skip: number): void {
    this.#next = next;
    this.#head = [];
    this.#skip = skip;
    // An empty block: what is behind it follows at once.
    if (skip === 0) this.#read();
  }
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
