import { constants, createZstdCompress, type ZstdCompress } from "node:zlib";

export const COMPRESSION_LEVELS = ["fast", "default", "max"] as const;
export type CompressionLevel = (typeof COMPRESSION_LEVELS)[number];

const MIB = 1024 ** 2;

interface Settings {
  level: number;
  /** log2 of the largest window: how far back a repetition is found. Also what decompressing takes in memory. */
  windowLog: number;
  /** What compressing takes besides the window. */
  tablesBytes: number;
}

/** Part of what makes a bundle's bytes, so never made to depend on the machine. */
const SETTINGS: Record<CompressionLevel, Settings> = {
  fast: { level: 1, windowLog: 26, tablesBytes: 10 * MIB },
  default: { level: 3, windowLog: 26, tablesBytes: 14 * MIB },
  max: { level: 19, windowLog: 26, tablesBytes: 90 * MIB },
};
const SMALLEST_WINDOW_LOG = 17;
/** 2^27 is the largest that `zstd -d` takes without being told. */
const LARGEST_WINDOW_LOG = 27;

/** Half of what zstd takes by itself: packages have many files alike in small places, and it costs no time. */
const SHORTEST_LONG_MATCH_BYTES = 32;

/** log2 of how many places with the same hash are looked at: a quarter of what zstd takes by itself is a tenth faster and half a percent larger. */
const LONG_MATCH_BUCKET_LOG = 2;

/** What zstd is fed with at a time: it waits a moment for each, and what comes out depends on it. */
export const PIECE_BYTES = MIB;
/** The piece that is compressed, the one behind it, and those that are read ahead. */
export const PIECES_HELD = 4;

/** With this for all that compress at once, the whole program stays below 300 MiB. */
const MEMORY_BYTES = 172 * MIB;

/**
 * Names what makes a layer's bytes: the settings of a level and the version of zstd. Layers that were compressed otherwise are not used
 * again, since the same stack must give the same bundle, whatever the cache has seen.
 */
export function compressionRecipe(level: CompressionLevel): string {
  const { level: zstdLevel, windowLog } = SETTINGS[level];
  const longMatches = `${SHORTEST_LONG_MATCH_BYTES}-${LONG_MATCH_BUCKET_LOG}`;
  return `${level}-${zstdLevel}-${windowLog}-${longMatches}-${PIECE_BYTES}-zstd${process.versions.zstd}`;
}

/** zstd for a layer of this size, with long-distance matching. */
export function compressor(level: CompressionLevel, sizeBytes: number | undefined): ZstdCompress {
  const { level: zstdLevel } = SETTINGS[level];
  return createZstdCompress({
    chunkSize: 256 * 1024,
    // The size lets zstd choose its tables no larger than the layer needs.
    ...(sizeBytes !== undefined && { pledgedSrcSize: sizeBytes }),
    params: {
      [constants.ZSTD_c_compressionLevel]: zstdLevel,
      [constants.ZSTD_c_windowLog]: windowLog(level, sizeBytes),
      [constants.ZSTD_c_enableLongDistanceMatching]: 1,
      [constants.ZSTD_c_ldmMinMatch]: SHORTEST_LONG_MATCH_BYTES,
      [constants.ZSTD_c_ldmBucketSizeLog]: LONG_MATCH_BUCKET_LOG,
    },
  });
}

function windowLog(level: CompressionLevel, sizeBytes: number | undefined): number {
  if (sizeBytes === undefined) return SETTINGS[level].windowLog;
  const needed = Math.ceil(Math.log2(Math.max(sizeBytes, 1)));
  return Math.min(SETTINGS[level].windowLog, Math.max(SMALLEST_WINDOW_LOG, needed));
}

/** What compressing a layer takes in memory. */
export function compressorBytes(level: CompressionLevel, sizeBytes: number): number {
  const tablesBytes = Math.min(SETTINGS[level].tablesBytes, 2 * sizeBytes + MIB);
  return 2 ** windowLog(level, sizeBytes) + tablesBytes + PIECES_HELD * PIECE_BYTES;
}

/** What decompressing a layer that somebody else compressed takes at most. */
export function decompressorBytes(encoding: "gzip" | "zstd" | "none"): number {
  return encoding === "zstd" ? 2 ** LARGEST_WINDOW_LOG : MIB;
}

/** Memory that several layers share: whoever wants more than is left waits for its turn. */
export class MemoryBudget {
  #freeBytes: number;
  readonly #totalBytes: number;
  readonly #waiting: { bytes: number; start: () => void }[] = [];

  constructor(totalBytes: number = MEMORY_BYTES) {
    this.#freeBytes = totalBytes;
    this.#totalBytes = totalBytes;
  }

  /** Runs with so much memory taken; one that wants more than there is has all of it to itself. */
  async use<T>(bytes: number, run: () => Promise<T>): Promise<T> {
    const taken = Math.min(bytes, this.#totalBytes);
    await this.#take(taken);
    try {
      return await run();
    } finally {
      this.#freeBytes += taken;
      this.#startNext();
    }
  }

  #take(bytes: number): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ bytes, start: resolve });
      this.#startNext();
    });
  }

  /** In order, so that nobody waits for ever. */
  #startNext(): void {
    for (let next = this.#waiting[0]; next && next.bytes <= this.#freeBytes; next = this.#waiting[0]) {
      this.#freeBytes -= next.bytes;
      this.#waiting.shift();
      next.start();
    }
  }
}
