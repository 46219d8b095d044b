import { createHash, type Hash } from "node:crypto";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { type Duplex, type Readable, Transform, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { type BundledLayer, createUnzstd, LAYER_MEDIA_TYPES } from "@drybag/format";
import {
  type CompressionLevel,
  compressor,
  compressorBytes,
  decompressorBytes,
  type MemoryBudget,
} from "./compression.ts";
import { evenPieces } from "./even-pieces.ts";
import { blobPath, keepBlob, keepLayer, type LayerCache, partialPath } from "./layer-cache.ts";
import type { SavedLayerEntry } from "./read-saved-archive.ts";

export type LayerEncoding = keyof typeof LAYER_MEDIA_TYPES;

export interface StageLayerOptions {
  level: CompressionLevel;
  /** Compress anew what arrives compressed. */
  recompress: boolean;
  budget: MemoryBudget;
  signal: AbortSignal;
}

/**
 * Takes a layer from the engine into the cache: a plain one is compressed with zstd, one that arrives compressed is kept as it
 * is unless it is to be recompressed, so that it keeps the digest that its registry knows. Memory does not grow with the layer.
 */
export async function stageLayer(
  cache: LayerCache,
  { body, encoding, sizeBytes }: Pick<SavedLayerEntry, "body" | "encoding" | "sizeBytes">,
  options: StageLayerOptions,
): Promise<BundledLayer> {
  const isKept = encoding !== "none" && !options.recompress;
  const neededBytes =
    encoding === "none"
      ? compressorBytes(options.level, sizeBytes)
      : (isKept ? 0 : compressorBytes(options.level, Number.MAX_SAFE_INTEGER)) + decompressorBytes(encoding);
  return options.budget.use(neededBytes, () => stageNow(cache, body, encoding, sizeBytes, options));
}

async function stageNow(
  cache: LayerCache,
  body: Readable,
  encoding: LayerEncoding,
  sizeBytes: number,
  { level, recompress, signal }: StageLayerOptions,
): Promise<BundledLayer> {
  const temporary = partialPath(cache);
  const isKept = encoding !== "none" && !recompress;
  try {
    const stored = digesting();
    const plain = digesting();
    const file = createWriteStream(temporary, { flags: "wx", highWaterMark: 1 << 20 });
    if (isKept) {
      await pipeline(body, stored.stream, alsoInto(decoder(encoding), plain.stream, signal), file, {
        signal,
      });
    } else if (encoding === "none") {
      await pipeline(body, evenPieces(), plain.stream, compressor(level, sizeBytes), stored.stream, file, {
        signal,
      });
    } else {
      const zstd = compressor(level, undefined);
      await pipeline(body, decoder(encoding), evenPieces(), plain.stream, zstd, stored.stream, file, {
        signal,
      });
    }
    const layer: BundledLayer = {
      diffId: plain.digest(),
      digest: stored.digest(),
      mediaType: LAYER_MEDIA_TYPES[isKept ? encoding : "zstd"],
      sizeBytes: stored.sizeBytes(),
      uncompressedSizeBytes: plain.sizeBytes(),
    };
    await keepBlob(temporary, blobPath(cache, layer.digest));
    await keepLayer(cache, layer, isKept ? "kept" : level);
    return layer;
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

function decoder(encoding: LayerEncoding): Duplex {
  return encoding === "gzip" ? createGunzip() : createUnzstd();
}

/** A stream that lets bytes through and knows their digest and number afterwards. */
function digesting() {
  const hash: Hash = createHash("sha256");
  let count = 0;
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      count += chunk.length;
      done(null, chunk);
    },
  });
  return { stream, digest: () => `sha256:${hash.digest("hex")}`, sizeBytes: () => count };
}

/** Lets bytes through, and decompresses them on the side at the pace of the slower reader. */
function alsoInto(decoder: Duplex, plain: Transform, signal: AbortSignal) {
  return async function* (chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    const decoded = pipeline(decoder, plain, discard(), { signal });
    // Awaited below; a failure in between reaches `once` as well.
    decoded.catch(() => undefined);
    for await (const chunk of chunks) {
      if (!decoder.write(chunk)) await once(decoder, "drain", { signal });
      yield chunk;
    }
    decoder.end();
    await decoded;
  };
}

function discard(): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done() });
}
