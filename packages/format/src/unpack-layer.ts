import { createHash } from "node:crypto";
import { type Duplex, type Readable, Transform, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { DrybagError, isDrybagError } from "@drybag/errors";
import { type LayerProblem, packingProblem, START_BYTES } from "./layer-watch.ts";
import type { BundledLayer } from "./manifest.ts";
import { LAYER_MEDIA_TYPES } from "./names.ts";
import { createUnzstd } from "./unzstd.ts";

/**
 * Unpacks a layer into `target`, and lets through what the manifest says and not a byte more: a bomb gets nowhere. Throws layer-bomb
 * where there is more, layer-refused where it is of another digest, shorter, or no such thing, or wants too much memory; the errors of
 * body and target as they are. `digest` may be left to a target that checks it itself, as an engine does: hashing takes as long as
 * decompressing.
 */
export async function unpackLayer(
  layer: BundledLayer,
  body: Readable,
  target: Writable,
  signal?: AbortSignal,
  { digest = "checked" }: { digest?: "checked" | "left to target" } = {},
): Promise<void> {
  const bodyFailed: { error?: unknown } = {};
  body.once("error", (error) => {
    bodyFailed.error = error;
  });
  try {
    await pipeline([body, ...decoders(layer), expecting(layer, digest === "checked"), target], {
      ...(signal && { signal }),
    });
  } catch (error) {
    signal?.throwIfAborted();
    // A body that has more to give ends with the error that its decoder ended with.
    if (bodyFailed.error !== undefined && !isOfDecoder(bodyFailed.error)) throw bodyFailed.error;
    throw isOfDecoder(error) ? refused(layer, error) : error;
  }
}

function isOfDecoder(error: unknown): boolean {
  const code = error instanceof Error && !isDrybagError(error) && "code" in error ? String(error.code) : "";
  return /^(Z|ZSTD)_/.test(code);
}

function decoders({ mediaType }: BundledLayer): Duplex[] {
  switch (mediaType) {
    case LAYER_MEDIA_TYPES.zstd:
      return [createUnzstd()];
    case LAYER_MEDIA_TYPES.gzip:
      return [createGunzip()];
    default:
      return [];
  }
}

function expecting(layer: BundledLayer, checksDigest: boolean): Transform {
  const { diffId, uncompressedSizeBytes } = layer;
  const hash = createHash("sha256");
  const start: number[] = [];
  let sizeBytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      sizeBytes += chunk.length;
      if (sizeBytes > uncompressedSizeBytes) return done(bomb(layer));
      if (start.length < START_BYTES) {
        start.push(...chunk.subarray(0, START_BYTES - start.length));
        const problem = packingProblem(Buffer.from(start), LAYER_MEDIA_TYPES.none);
        if (problem) return done(packedTwice(layer, problem));
      }
      if (checksDigest) hash.update(chunk);
      return done(null, chunk);
    },
    flush(done) {
      const isRight =
        sizeBytes === uncompressedSizeBytes && (!checksDigest || `sha256:${hash.digest("hex")}` === diffId);
      done(isRight ? null : refused(layer));
    },
  });
}

function bomb({ diffId, uncompressedSizeBytes }: BundledLayer): DrybagError {
  return new DrybagError(
    "layer-bomb",
    `The layer ${diffId} goes on after the ${uncompressedSizeBytes} bytes that the manifest gives when it is unpacked.`,
    { hint: "Drybag did not write this bundle as it is: do not use it." },
  );
}

function packedTwice({ diffId }: BundledLayer, { code, what }: LayerProblem): DrybagError {
  return new DrybagError(code, `The layer ${diffId} ${what}, when it is unpacked.`, {
    hint: "Drybag did not write this bundle as it is: do not use it.",
  });
}

function refused({ diffId }: BundledLayer, cause?: unknown): DrybagError {
  return new DrybagError(
    "layer-refused",
    `The layer ${diffId} is not what the manifest says when it is unpacked.`,
    {
      hint: "Drybag did not write this bundle as it is: do not use it.",
      cause,
    },
  );
}
