import { createHash, type Hash } from "node:crypto";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { type Duplex, type Readable, Transform, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { constants, createGunzip, createZstdCompress, createZstdDecompress } from "node:zlib";
import { type BundledLayer, LAYER_MEDIA_TYPES } from "@drybag/format";
import { keepBlob, keepLayer, type LayerCache, partialPath } from "./layer-cache.ts";

export type LayerEncoding = keyof typeof LAYER_MEDIA_TYPES;

/** Level 3 with a long window finds what repeats within a layer at nearly the speed of plain level 3. */
const ZSTD_LEVEL = 3;
/** 2^27 = 128 MiB: the largest window that `zstd -d` takes without being told. */
const ZSTD_WINDOW_LOG = 27;

/**
 * Takes a layer from the engine into the cache: a plain one is compressed with zstd, one that arrives compressed is kept as it
 * is, so that it keeps the digest that its registry knows. Memory does not grow with the layer.
 */
export async function stageLayer(
  cache: LayerCache,
  body: Readable,
  encoding: LayerEncoding,
  sizeBytes: number,
  signal: AbortSignal,
): Promise<BundledLayer> {
  const temporary = partialPath(cache);
  try {
    const stored = digesting();
    const plain = digesting();
    const file = createWriteStream(temporary, { flags: "wx" });
    if (encoding === "none") {
      await pipeline(body, plain.stream, zstd(sizeBytes), stored.stream, file, { signal });
    } else {
      const decoder = encoding === "gzip" ? createGunzip() : createZstdDecompress({ params: LARGE_WINDOW });
      await pipeline(body, stored.stream, alsoInto(decoder, plain.stream, signal), file, { signal });
    }
    const layer: BundledLayer = {
      diffId: plain.digest(),
      digest: stored.digest(),
      mediaType: LAYER_MEDIA_TYPES[encoding === "none" ? "zstd" : encoding],
      sizeBytes: stored.sizeBytes(),
      uncompressedSizeBytes: plain.sizeBytes(),
    };
    await keepBlob(cache, temporary, layer.digest);
    await keepLayer(cache, layer);
    return layer;
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

const LARGE_WINDOW = { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG };

function zstd(sizeBytes: number) {
  return createZstdCompress({
    chunkSize: 1 << 18,
    // The size lets zstd choose a window no larger than the layer, here and when it is decompressed.
    pledgedSrcSize: sizeBytes,
    params: {
      [constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL,
      [constants.ZSTD_c_windowLog]: ZSTD_WINDOW_LOG,
      [constants.ZSTD_c_enableLongDistanceMatching]: 1,
    },
  });
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
