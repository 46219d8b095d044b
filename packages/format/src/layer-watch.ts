import type { ErrorCode } from "@drybag/errors";
import type { BundledLayer } from "./manifest.ts";
import { LAYER_MEDIA_TYPES } from "./names.ts";
import { MAX_WINDOW_LOG } from "./unzstd.ts";
import { isSkippable, ZSTD_MAGIC, ZstdFrame } from "./zstd-frame.ts";

export interface LayerProblem {
  code: ErrorCode;
  /** In words that fit behind the layer's name. */
  what: string;
}

/**
 * Watches the bytes of a layer, as it is stored, pass by, and says as soon as they cannot become what the manifest says. It decompresses
 * nothing: it looks at what the layer is packed with, and at the frames of zstd, which mostly tell the size of their content. What is no
 * zstd behind the first bytes, it leaves to who decompresses it and will not get further either.
 */
export class LayerWatch {
  readonly #layer: BundledLayer;
  readonly #start: number[] = [];
  readonly #frames: ZstdFrames | undefined;

  constructor(layer: BundledLayer) {
    this.#layer = layer;
    this.#frames = layer.mediaType === LAYER_MEDIA_TYPES.zstd ? new ZstdFrames(layer) : undefined;
  }

  take(bytes: Buffer): LayerProblem | undefined {
    return this.#takeStart(bytes) ?? this.#frames?.take(bytes);
  }

  /** Behind the last byte. */
  end(): LayerProblem | undefined {
    return this.#frames?.end();
  }

  #takeStart(bytes: Buffer): LayerProblem | undefined {
    if (this.#start.length >= START_BYTES) return undefined;
    this.#start.push(...bytes.subarray(0, START_BYTES - this.#start.length));
    return packingProblem(Buffer.from(this.#start), this.#layer.mediaType);
  }
}

/** Whether a zstd layer begins with a frame that tells the size of all of it, so that a LayerWatch is enough to be sure of the rest. */
export function tellsSize(start: Buffer, { mediaType, uncompressedSizeBytes }: BundledLayer): boolean {
  if (mediaType !== LAYER_MEDIA_TYPES.zstd || start.length < 4 || start.readUInt32LE() !== ZSTD_MAGIC)
    return false;
  const frame = new ZstdFrame();
  try {
    // The longest header has 14 bytes; behind a shorter one, blocks begin.
    frame.take(start.subarray(4, 18));
  } catch {
    return false;
  }
  return frame.head?.contentSizeBytes === uncompressedSizeBytes;
}

/** Enough to tell what something is packed with. */
export const START_BYTES = 6;

/**
 * Engines look at the first bytes of a layer, not at its media type, for what to unpack it with. So those must not say anything else, be it
 * of a layer as it is stored or, with the media type of a plain one, of what it becomes.
 */
export function packingProblem(start: Buffer, mediaType: string): LayerProblem | undefined {
  const found = PACKINGS.find(({ matches }) => matches(start));
  if (found === undefined || found.mediaType === mediaType) return undefined;
  return { code: "layer-refused", what: `is packed with ${found.name}, which the manifest does not say` };
}

const PACKINGS: { name: string; mediaType?: string; matches: (start: Buffer) => boolean }[] = [
  { name: "gzip", mediaType: LAYER_MEDIA_TYPES.gzip, matches: beginsWith("1f8b08") },
  { name: "zstd", mediaType: LAYER_MEDIA_TYPES.zstd, matches: isZstd },
  { name: "bzip2", matches: beginsWith("425a68") },
  { name: "xz", matches: beginsWith("fd377a585a00") },
];

function beginsWith(hex: string): (start: Buffer) => boolean {
  const magic = Buffer.from(hex, "hex");
  return (start) => start.subarray(0, magic.length).equals(magic);
}

function isZstd(start: Buffer): boolean {
  const magic = start.length < 4 ? 0 : start.readUInt32LE();
  return magic === ZSTD_MAGIC || isSkippable(magic);
}

/** How many times the size that a frame tells its blocks may hold at the most: encoders do not cut content into blocks below 8 KiB. */
const MOST_TIMES = 16;
const SLACK_BYTES = 1024 ** 2;

/** Adds up what the frames of a layer tell, and what their blocks do. */
class ZstdFrames {
  readonly #wantedBytes: number;
  /** Of the frames that have ended. */
  #leastBytes = 0;
  #looseBytes = 0;
  #isExact = true;
  #frame: ZstdFrame | undefined;
  #magic: number[] = [];
  #skip = 0;
  #isForeign = false;

  constructor({ uncompressedSizeBytes }: BundledLayer) {
    this.#wantedBytes = uncompressedSizeBytes;
  }

  take(bytes: Buffer): LayerProblem | undefined {
    let rest = bytes;
    while (rest.length > 0 && !this.#isForeign) {
      rest = rest.subarray(this.#takeSome(rest));
      const problem = this.#problem();
      if (problem !== undefined) return problem;
      if (this.#frame?.isReached) this.#finishFrame(this.#frame);
    }
    return undefined;
  }

  end(): LayerProblem | undefined {
    const isWhole = this.#isExact && !this.#isForeign && !this.#frame && this.#magic.length === 0;
    if (!isWhole || this.#leastBytes === this.#wantedBytes) return undefined;
    return {
      code: "layer-refused",
      what: `announces ${this.#leastBytes} bytes where the manifest says ${this.#wantedBytes}`,
    };
  }

  #takeSome(bytes: Buffer): number {
    if (this.#frame) return this.#takeFrame(this.#frame, bytes);
    if (this.#skip > 0) {
      const skipped = Math.min(this.#skip, bytes.length);
      this.#skip -= skipped;
      return skipped;
    }
    return this.#takeMagic(bytes);
  }

  #takeFrame(frame: ZstdFrame, bytes: Buffer): number {
    try {
      return frame.take(bytes);
    } catch {
      // A block that no decompressor gets past.
      this.#isForeign = true;
      return bytes.length;
    }
  }

  /** Of a frame; or, with its size, of one that is skipped. */
  #takeMagic(bytes: Buffer): number {
    this.#magic.push(bytes.readUInt8());
    if (this.#magic.length < 4) return 1;
    const found = Buffer.from(this.#magic);
    const magic = found.readUInt32LE();
    if (isSkippable(magic)) {
      if (found.length < 8) return 1;
      this.#skip = found.readUInt32LE(4);
    } else if (magic === ZSTD_MAGIC) this.#frame = new ZstdFrame();
    else this.#isForeign = true;
    this.#magic = [];
    return 1;
  }

  #problem(): LayerProblem | undefined {
    if (this.#frame?.head === undefined) return undefined;
    const { head, leastBytes } = this.#frame;
    const { contentSizeBytes, memoryBytes } = head;
    const bomb = (what: string): LayerProblem => ({ code: "layer-bomb", what });
    const toldBytes = this.#leastBytes + (contentSizeBytes ?? 0);
    if (toldBytes > this.#wantedBytes)
      return bomb(`announces ${toldBytes} bytes where the manifest says ${this.#wantedBytes}`);
    // A frame of a single segment wants all of its content in memory.
    if (memoryBytes > 2 ** MAX_WINDOW_LOG && memoryBytes !== this.#wantedBytes)
      return bomb(`wants ${memoryBytes} bytes of memory to be unpacked`);
    if (this.#leastBytes + leastBytes > this.#wantedBytes)
      return bomb(`has more than the ${this.#wantedBytes} bytes that the manifest gives`);
    if (contentSizeBytes === undefined) return undefined;
    if (leastBytes > contentSizeBytes || this.#looseBytes + looseBytes(this.#frame) > SLACK_BYTES)
      return bomb("has more blocks than what it announces needs");
    return undefined;
  }

  #finishFrame(frame: ZstdFrame): void {
    const { head, leastBytes } = frame;
    this.#leastBytes += head?.contentSizeBytes ?? leastBytes;
    this.#looseBytes += looseBytes(frame);
    if (head?.contentSizeBytes === undefined) this.#isExact = false;
    this.#frame = undefined;
  }
}

/** What the blocks of a frame may hold beyond what could be if it tells the truth. */
function looseBytes({ head, mostBytes }: ZstdFrame): number {
  return Math.max(0, mostBytes - MOST_TIMES * (head?.contentSizeBytes ?? Infinity));
}
