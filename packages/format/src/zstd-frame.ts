/** What begins a frame of zstd, little end first; and one that holds nothing for the decompressor, whose last four bits may be anything. */
export const ZSTD_MAGIC = 0xfd2fb528;
export const SKIPPABLE_MAGIC = 0x184d2a50;

/** Whether a magic number begins a frame that a decompressor steps over. */
export function isSkippable(magic: number): boolean {
  return (magic & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC;
}

/** No block becomes more. */
const MAX_BLOCK_BYTES = 128 * 1024;

/**
 * Follows one frame of zstd, from behind its magic number to its end, in bytes that pass by in pieces of any size, and notes what can be
 * known of its content without decompressing it. Format: RFC 8878, section 3.1.1.
 */
export class ZstdFrame {
  isReached = false;
  /** What the header tells; undefined before it has passed. */
  head: { contentSizeBytes: number | undefined; memoryBytes: number } | undefined;
  /** The content has so many bytes at least, by the blocks so far, and so many at most. */
  leastBytes = 0;
  mostBytes = 0;
  #next: "descriptor" | "header" | "block" | "checksum" = "descriptor";
  #collected: number[] = [];
  #wanted = 1;
  #skip = 0;
  #hasChecksum = false;
  #descriptor = 0;

  /** How many of the bytes belong to the frame. */
  take(bytes: Buffer): number {
    let at = 0;
    while (at < bytes.length && !this.isReached) {
      if (this.#skip > 0) {
        const skipped = Math.min(this.#skip, bytes.length - at);
        this.#skip -= skipped;
        at += skipped;
      } else {
        this.#collected.push(bytes.readUInt8(at));
        at += 1;
      }
      if (this.#skip === 0 && this.#collected.length === this.#wanted) this.#read();
    }
    return at;
  }

  /** What the bytes collected so far say of what follows. */
  #read(): void {
    const found = Buffer.from(this.#collected);
    this.#collected = [];
    switch (this.#next) {
      case "descriptor":
        this.#descriptor = found.readUInt8();
        this.#hasChecksum = (this.#descriptor & 4) !== 0;
        this.#goOn("header", headerRestBytes(this.#descriptor));
        break;
      case "header":
        this.head = readHead(this.#descriptor, found);
        this.#goOn("block", 3);
        break;
      case "block":
        this.#readBlock(found.readUIntLE(0, 3));
        break;
      case "checksum":
        this.isReached = true;
    }
  }

  #readBlock(header: number): void {
    const type = (header >> 1) & 3;
    const size = header >> 3;
    if (type === 3) throw corrupt("has a block of an unknown type");
    const isCompressed = type === 2;
    this.leastBytes += isCompressed ? 1 : size;
    this.mostBytes += isCompressed ? Math.min(MAX_BLOCK_BYTES, this.head?.memoryBytes ?? 0) : size;
    // A block of one repeated byte has that byte only.
    this.#skip = type === 1 ? 1 : size;
    if ((header & 1) === 0) this.#goOn("block", 3);
    else if (this.#hasChecksum) this.#goOn("checksum", 4);
    else if (this.#skip === 0) this.isReached = true;
    else this.#goOn("checksum", 0);
  }

  #goOn(next: "header" | "block" | "checksum", wanted: number): void {
    this.#next = next;
    this.#wanted = wanted;
  }
}

/** What follows the descriptor of a frame: window, dictionary and size of the content. */
function headerRestBytes(descriptor: number): number {
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0;
  return (isSingleSegment ? 0 : 1) + dictionaryBytes + contentSizeFieldBytes(descriptor);
}

/** How many bytes tell the size of a frame's content; none if it is not told. */
function contentSizeFieldBytes(descriptor: number): number {
  const isSingleSegment = (descriptor & 0x20) !== 0;
  return [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
}

/** A frame of a single segment has no window: all of its content is kept in memory. */
function readHead(descriptor: number, rest: Buffer): NonNullable<ZstdFrame["head"]> {
  const sizeFieldBytes = contentSizeFieldBytes(descriptor);
  const contentSizeBytes = readContentSize(rest.subarray(rest.length - sizeFieldBytes));
  if ((descriptor & 0x20) !== 0) return { contentSizeBytes, memoryBytes: contentSizeBytes ?? 0 };
  const window = rest.readUInt8();
  return { contentSizeBytes, memoryBytes: 2 ** (10 + (window >> 3)) * (1 + (window & 7) / 8) };
}

function readContentSize(field: Buffer): number | undefined {
  switch (field.length) {
    case 1:
      return field.readUInt8();
    case 2:
      return field.readUInt16LE() + 256;
    case 4:
      return field.readUInt32LE();
    case 8:
      return Number(field.readBigUInt64LE());
    default:
      return undefined;
  }
}

/** As zlib says it. */
export function corrupt(what: string): Error {
  return Object.assign(new Error(`zstd: ${what}`), { code: "ZSTD_error_corruption_detected" });
}
