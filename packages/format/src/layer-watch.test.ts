import { constants, gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { type LayerProblem, LayerWatch } from "./layer-watch.ts";
import { LAYER_MEDIA_TYPES } from "./names.ts";
import { noise } from "./testing/tiny-bundle.ts";
import {
  COMPRESSED_BLOCK,
  forgedFrame,
  RLE_BLOCK,
  skippableFrame,
  toldFrame,
  untoldFrame,
} from "./testing/zstd-streams.ts";

const CONTENT = noise(300_000, 1);
const SIZE = CONTENT.length;

/** What is said of a layer, in pieces of any size alike; and how many bytes had passed by then. */
function watched(
  blob: Buffer,
  { mediaType = LAYER_MEDIA_TYPES.zstd, sizeBytes = SIZE }: { mediaType?: string; sizeBytes?: number } = {},
): LayerProblem | undefined {
  const digest = `sha256:${"0".repeat(64)}`;
  const layer = {
    diffId: digest,
    digest,
    mediaType,
    sizeBytes: blob.length,
    uncompressedSizeBytes: sizeBytes,
  };
  const inPieces = (pieceBytes: number) => {
    const watch = new LayerWatch(layer);
    for (let at = 0; at < blob.length; at += pieceBytes) {
      const problem = watch.take(blob.subarray(at, at + pieceBytes));
      if (problem) return problem;
    }
    return watch.end();
  };
  const found = inPieces(blob.length);
  for (const pieceBytes of [1, 7, 4096]) expect(inPieces(pieceBytes)?.code).toBe(found?.code);
  return found;
}

/** A compressed block of few bytes that may become 128 KiB: nobody decompresses it here. */
const SMALL: [number, number, Buffer] = [COMPRESSED_BLOCK, 12, Buffer.alloc(12)];

describe("nothing is said of", () => {
  test.each<[string, Buffer | Promise<Buffer>]>([
    ["a frame that tells the right size", toldFrame(CONTENT)],
    [
      "frames whose sizes add up",
      Buffer.concat([toldFrame(CONTENT.subarray(7)), toldFrame(CONTENT.subarray(0, 7))]),
    ],
    ["a frame that tells no size", untoldFrame(CONTENT)],
    [
      "frames that are stepped over",
      Buffer.concat([skippableFrame(5), toldFrame(CONTENT), skippableFrame(0)]),
    ],
    ["an empty frame at the end", Buffer.concat([toldFrame(CONTENT), toldFrame(Buffer.alloc(0))])],
    ["something that is no zstd", CONTENT],
    ["something that is shorter than anything else", Buffer.from([0x28])],
    ["a frame that is cut", toldFrame(CONTENT).subarray(0, 1000)],
  ])("%s", async (_, blob) => {
    expect(watched(await blob)).toBeUndefined();
  });

  test.each([
    [
      "words, at the level that cuts the most blocks",
      Buffer.from("the quick brown fox ".repeat(200_000)),
      22,
    ],
    [
      "what repeats only at times",
      Buffer.concat([noise(90_000, 2), Buffer.alloc(2_000_000), noise(70_000, 3)]),
      19,
    ],
    [
      "noise between zeros",
      Buffer.concat(Array.from({ length: 400 }, (_, at) => (at % 2 ? Buffer.alloc(9000) : noise(5000, at)))),
      22,
    ],
  ])("%s", (_, content, level) => {
    const blob = zstdCompressSync(content, { params: { [constants.ZSTD_c_compressionLevel]: level } });
    expect(watched(blob, { sizeBytes: content.length })).toBeUndefined();
  });

  test.each([
    [LAYER_MEDIA_TYPES.gzip, gzipSync(CONTENT)],
    [LAYER_MEDIA_TYPES.none, CONTENT],
    [LAYER_MEDIA_TYPES.none, Buffer.alloc(0)],
  ])("what is %s", (mediaType, blob) => {
    expect(watched(blob, { mediaType })).toBeUndefined();
  });
});

describe("refused is", () => {
  const BOMB = toldFrame(Buffer.alloc(50_000_000));
  test.each<[string, Buffer, LayerProblem]>([
    [
      "a bomb",
      BOMB,
      { code: "layer-bomb", what: `announces 50000000 bytes where the manifest says ${SIZE}` },
    ],
    [
      "a bomb in a second frame",
      Buffer.concat([toldFrame(CONTENT), BOMB]),
      { code: "layer-bomb", what: `announces ${50_000_000 + SIZE} bytes where the manifest says ${SIZE}` },
    ],
    [
      "a bomb behind what is stepped over",
      Buffer.concat([skippableFrame(1000), toldFrame(CONTENT), skippableFrame(70_000), BOMB]),
      { code: "layer-bomb", what: `announces ${50_000_000 + SIZE} bytes where the manifest says ${SIZE}` },
    ],
    [
      "a size beyond what numbers can hold",
      forgedFrame(2 ** 63, [SMALL]),
      { code: "layer-bomb", what: `announces ${2 ** 63} bytes where the manifest says ${SIZE}` },
    ],
    [
      "less than the manifest says",
      toldFrame(CONTENT.subarray(1)),
      { code: "layer-refused", what: `announces ${SIZE - 1} bytes where the manifest says ${SIZE}` },
    ],
    [
      "a frame without a size, of one byte again and again",
      forgedFrame(
        undefined,
        Array.from({ length: 9 }, () => [RLE_BLOCK, 131_072, Buffer.from("x")]),
      ),
      { code: "layer-bomb", what: `has more than the ${SIZE} bytes that the manifest gives` },
    ],
    [
      "anything behind a frame that told all",
      Buffer.concat([toldFrame(CONTENT), forgedFrame(undefined, [SMALL])]),
      { code: "layer-bomb", what: `has more than the ${SIZE} bytes that the manifest gives` },
    ],
    [
      "a lie about the size, of one byte again and again",
      Buffer.concat([forgedFrame(10, [[RLE_BLOCK, 131_072, Buffer.from("x")]])]),
      { code: "layer-bomb", what: "has more blocks than what it announces needs" },
    ],
    [
      "a lie about the size, in blocks that are compressed",
      forgedFrame(
        SIZE,
        Array.from({ length: 100 }, () => SMALL),
      ),
      { code: "layer-bomb", what: "has more blocks than what it announces needs" },
    ],
    [
      "a lie about the size, in many frames",
      Buffer.concat(Array.from({ length: 30 }, () => forgedFrame(1, [SMALL]))),
      { code: "layer-bomb", what: "has more blocks than what it announces needs" },
    ],
    [
      "what wants more than 128 MiB of memory",
      // Descriptor without a size, window of 2^31, an empty last block.
      Buffer.from("28b52ffd00a8010000", "hex"),
      { code: "layer-bomb", what: "wants 2147483648 bytes of memory to be unpacked" },
    ],
    [
      "gzip that the manifest calls zstd",
      gzipSync(CONTENT),
      { code: "layer-refused", what: "is packed with gzip, which the manifest does not say" },
    ],
  ])("%s", (_, blob, problem) => {
    expect(watched(blob)).toEqual(problem);
  });

  test.each([
    ["zstd", LAYER_MEDIA_TYPES.gzip, BOMB],
    ["zstd", LAYER_MEDIA_TYPES.none, BOMB],
    ["zstd", LAYER_MEDIA_TYPES.none, Buffer.concat([skippableFrame(3), BOMB])],
    ["gzip", LAYER_MEDIA_TYPES.none, gzipSync(CONTENT)],
    ["bzip2", LAYER_MEDIA_TYPES.none, Buffer.from("BZh91AY&SY")],
    ["xz", LAYER_MEDIA_TYPES.gzip, Buffer.from("fd377a585a000004", "hex")],
  ])("%s that the manifest calls %s", (name, mediaType, blob) => {
    expect(watched(blob, { mediaType })).toEqual({
      code: "layer-refused",
      what: `is packed with ${name}, which the manifest does not say`,
    });
  });
});
