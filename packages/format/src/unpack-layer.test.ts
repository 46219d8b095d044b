import { Readable, Writable } from "node:stream";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { BundledLayer } from "./manifest.ts";
import { LAYER_MEDIA_TYPES } from "./names.ts";
import { sha256Hex } from "./sha256.ts";
import { refusal } from "./testing/refusal.ts";
import { noise } from "./testing/tiny-bundle.ts";
import { unpackLayer } from "./unpack-layer.ts";

const CONTENT = noise(300_000, 1);

function layerOf(content: Buffer, blob: Buffer, mediaType: string): BundledLayer {
  return {
    diffId: `sha256:${sha256Hex(content)}`,
    digest: `sha256:${sha256Hex(blob)}`,
    mediaType,
    sizeBytes: blob.length,
    uncompressedSizeBytes: content.length,
  };
}

async function unpacked(layer: BundledLayer, ...blob: Buffer[]): Promise<{ bytes: number; message: string }> {
  let bytes = 0;
  const target = new Writable({
    write(chunk, _encoding, done) {
      bytes += chunk.length;
      done();
    },
  });
  const message = await refusal(() => unpackLayer(layer, Readable.from(blob, { objectMode: false }), target));
  return { bytes, message };
}

const zstd = (content: Buffer) => zstdCompressSync(content);

test.each([
  ["zstd", zstd(CONTENT), LAYER_MEDIA_TYPES.zstd],
  ["gzip", gzipSync(CONTENT), LAYER_MEDIA_TYPES.gzip],
  ["nothing", CONTENT, LAYER_MEDIA_TYPES.none],
  [
    "zstd in two frames",
    Buffer.concat([zstd(CONTENT.subarray(0, 7)), zstd(CONTENT.subarray(7))]),
    LAYER_MEDIA_TYPES.zstd,
  ],
])("a layer packed with %s is unpacked", async (_name, blob, mediaType) => {
  const { bytes, message } = await unpacked(layerOf(CONTENT, blob, mediaType), blob);
  expect({ bytes, message }).toEqual({ bytes: CONTENT.length, message: "not refused" });
});

describe("a layer is refused", () => {
  test("that is a bomb, before more comes out than the manifest says", async () => {
    const bomb = zstd(Buffer.alloc(200 * 1024 ** 2));
    expect(bomb.length).toBeLessThan(50_000);
    const layer = { ...layerOf(CONTENT, bomb, LAYER_MEDIA_TYPES.zstd), uncompressedSizeBytes: 1_000_000 };
    const { bytes, message } = await unpacked(layer, bomb);
    expect(message).toMatch(/^layer-bomb: /);
    expect(bytes).toBeLessThanOrEqual(1_000_000);
  });

  test("that is a bomb in a second frame, of which the first tells nothing", async () => {
    const bomb = Buffer.concat([zstd(CONTENT), zstd(Buffer.alloc(50 * 1024 ** 2))]);
    const layer = layerOf(CONTENT, bomb, LAYER_MEDIA_TYPES.zstd);
    expect((await unpacked(layer, bomb)).message).toMatch(/^layer-bomb: /);
  });

  test.each([
    ["gzip", gzipSync(CONTENT)],
    ["zstd", zstd(CONTENT)],
    ["bzip2", Buffer.from("BZh91AY&SY")],
    ["xz", Buffer.from("fd377a585a000004", "hex")],
  ])(
    "that becomes something packed with %s, which an engine would unpack once more",
    async (_name, inner) => {
      const blob = zstd(inner);
      expect(await unpacked(layerOf(inner, blob, LAYER_MEDIA_TYPES.zstd), blob)).toMatchObject({
        bytes: 0,
        message: expect.stringMatching(/^layer-refused: .* is packed with .*, when it is unpacked/),
      });
    },
  );

  test.each([
    ["zstd", zstd(CONTENT), LAYER_MEDIA_TYPES.zstd],
    ["gzip", gzipSync(CONTENT), LAYER_MEDIA_TYPES.gzip],
  ])("that is no %s from somewhere on, with much more to come", async (_name, blob, mediaType) => {
    const start = blob.subarray(0, 1000);
    const rest = Array.from({ length: 40 }, (_, at) => noise(70_000, at));
    const layer = { ...layerOf(CONTENT, blob, mediaType), uncompressedSizeBytes: 1e9 };
    expect((await unpacked(layer, start, ...rest)).message).toMatch(/^layer-refused: /);
  });

  test.each([
    ["with another diffID", { diffId: `sha256:${"0".repeat(64)}` }],
    ["that is smaller than it says", { uncompressedSizeBytes: CONTENT.length + 1 }],
    ["that is not packed as it says", { mediaType: LAYER_MEDIA_TYPES.gzip }],
  ])("%s", async (_name, change) => {
    const blob = zstd(CONTENT);
    const { message } = await unpacked(
      { ...layerOf(CONTENT, blob, LAYER_MEDIA_TYPES.zstd), ...change },
      blob,
    );
    expect(message).toMatch(/^layer-refused: /);
  });
});
