import { createHash } from "node:crypto";
import { type Duplex, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { type BundledLayer, createUnzstd, LAYER_MEDIA_TYPES } from "@drybag/format";
import { BlobFile } from "./blob-file.ts";
import { compressStream } from "./compress-stream.ts";
import {
  type CompressionLevel,
  compressor,
  compressorBytes,
  decompressorBytes,
  type MemoryBudget,
} from "./compression.ts";
import { evenPieces, type PieceMemory } from "./even-pieces.ts";
import { blobPath, keepBlob, keepLayer, type LayerCache, partialPath } from "./layer-cache.ts";
import type { SavedLayerEntry } from "./read-saved-archive.ts";

export type LayerEncoding = keyof typeof LAYER_MEDIA_TYPES;

export interface StageLayerOptions {
  level: CompressionLevel;
  /** Compress anew what arrives compressed. */
  recompress: boolean;
  budget: MemoryBudget;
  memory: PieceMemory;
  signal: AbortSignal;
}

type LayerToStage = Pick<SavedLayerEntry, "encoding" | "sizeBytes"> & { body: AsyncIterable<Buffer> };

/**
 * Takes a layer from the engine into the cache: a plain one is compressed with zstd, one that arrives compressed is kept as it
 * is unless it is to be recompressed, so that it keeps the digest that its registry knows. Memory does not grow with the layer.
 */
export async function stageLayer(
  cache: LayerCache,
  layer: LayerToStage,
  options: StageLayerOptions,
): Promise<BundledLayer> {
  const { encoding, sizeBytes } = layer;
  const isKept = encoding !== "none" && !options.recompress;
  const neededBytes =
    encoding === "none"
      ? compressorBytes(options.level, sizeBytes)
      : (isKept ? 0 : compressorBytes(options.level, Number.MAX_SAFE_INTEGER)) + decompressorBytes(encoding);
  return options.budget.use(neededBytes, () => stageNow(cache, layer, options));
}

async function stageNow(
  cache: LayerCache,
  { body, encoding, sizeBytes }: LayerToStage,
  { level, recompress, memory, signal }: StageLayerOptions,
): Promise<BundledLayer> {
  const isKept = encoding !== "none" && !recompress;
  const plain = new Digesting();
  const file = await BlobFile.create(partialPath(cache));
  try {
    if (isKept) {
      await pipeline(keeping(body, file), decoder(encoding), plain.into(), { signal });
    } else {
      const held = memory.take();
      const pieces = evenPieces(encoding === "none" ? body : decoded(body, encoding, signal), held);
      const zstd = compressor(level, encoding === "none" ? sizeBytes : undefined);
      await compressStream(pieces, zstd, plain.add, (bytes) => file.write(bytes), signal);
      memory.give(held);
    }
    const layer: BundledLayer = {
      diffId: plain.digest(),
      digest: await file.finish(),
      mediaType: LAYER_MEDIA_TYPES[isKept ? encoding : "zstd"],
      sizeBytes: file.sizeBytes,
      uncompressedSizeBytes: plain.sizeBytes,
    };
    await keepBlob(file.path, blobPath(cache, layer.digest));
    await keepLayer(cache, layer, isKept ? "kept" : level);
    return layer;
  } catch (error) {
    await file.discard();
    throw error;
  }
}

function decoder(encoding: LayerEncoding): Duplex {
  return encoding === "gzip" ? createGunzip() : createUnzstd();
}

/** Writes the pieces as they are, and gives copies of them on. */
async function* keeping(pieces: AsyncIterable<Buffer>, file: BlobFile): AsyncGenerator<Buffer> {
  for await (const copy of copies(pieces)) {
    await file.write(copy);
    yield copy;
  }
}

function decoded(
  pieces: AsyncIterable<Buffer>,
  encoding: LayerEncoding,
  signal: AbortSignal,
): AsyncIterable<Buffer> {
  const stream = decoder(encoding);
  const fed = pipeline(copies(pieces), stream, { signal });
  // It fails together with the stream, whose error is the one that counts.
  fed.catch(() => undefined);
  return stream;
}

/** Streams have queues: what waits in them must not lie in memory that is used again. */
async function* copies(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const piece of pieces) yield Buffer.from(piece);
}

class Digesting {
  sizeBytes = 0;
  readonly #hash = createHash("sha256");

  readonly add = (bytes: Uint8Array): void => {
    this.#hash.update(bytes);
    this.sizeBytes += bytes.length;
  };

  /** A stream that ends here. */
  into(): Writable {
    return new Writable({
      write: (bytes: Buffer, _encoding, done) => {
        this.add(bytes);
        done();
      },
    });
  }

  digest(): string {
    return `sha256:${this.#hash.digest("hex")}`;
  }
}
