import { createHash } from "node:crypto";
import { type Duplex, type Readable, Transform, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { DrybagError, type ErrorCode, isDrybagError } from "@drybag/errors";
import type { BundledLayer } from "./manifest.ts";
import { LAYER_MEDIA_TYPES } from "./names.ts";
import { contentSizeBytes, createUnzstd, headerRestBytes, MAX_WINDOW_LOG } from "./unzstd.ts";

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
    if (bodyFailed.error !== undefined) throw bodyFailed.error;
    const isOfDecoder = error instanceof Error && "code" in error && /^(Z|ZSTD)_/.test(String(error.code));
    throw isOfDecoder && !isDrybagError(error) ? refused(layer, error) : error;
  }
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
  let sizeBytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      sizeBytes += chunk.length;
      if (sizeBytes > uncompressedSizeBytes) return done(bomb(layer));
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

/**
 * Why the beginning of a zstd layer cannot belong to what the manifest says: it announces another size than the manifest, or a window that
 * takes more memory than any program should give. Undefined if it can. Format: RFC 8878, section 3.1.1.1.
 */
export function zstdHeadProblem(
  head: Buffer,
  { uncompressedSizeBytes }: BundledLayer,
): { code: ErrorCode; what: string } | undefined {
  if (head.length < 18 || head.readUInt32LE(0) !== 0xfd2fb528) return undefined;
  const descriptor = head.readUInt8(4);
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const sizeFieldBytes = contentSizeBytes(descriptor);
  const window = head.readUInt8(5);
  const windowBytes = isSingleSegment ? 0 : 2 ** (10 + (window >> 3)) * (1 + (window & 7) / 8);
  const at = 5 + headerRestBytes(descriptor) - sizeFieldBytes;
  const announced = contentSize(head, at, sizeFieldBytes);
  if (announced !== undefined && announced !== BigInt(uncompressedSizeBytes))
    return {
      code: announced > BigInt(uncompressedSizeBytes) ? "layer-bomb" : "layer-refused",
      what: `announces ${announced} bytes where the manifest says ${uncompressedSizeBytes}`,
    };
  const neededBytes = isSingleSegment ? Number(announced ?? 0n) : windowBytes;
  return neededBytes > 2 ** MAX_WINDOW_LOG && !(isSingleSegment && neededBytes === uncompressedSizeBytes)
    ? { code: "layer-bomb", what: `wants ${neededBytes} bytes of memory to be unpacked` }
    : undefined;
}

function contentSize(head: Buffer, at: number, sizeFieldBytes: number): bigint | undefined {
  switch (sizeFieldBytes) {
    case 1:
      return BigInt(head.readUInt8(at));
    case 2:
      return BigInt(head.readUInt16LE(at) + 256);
    case 4:
      return BigInt(head.readUInt32LE(at));
    case 8:
      return head.readBigUInt64LE(at);
    default:
      return undefined;
  }
}
