import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { DrybagError } from "@drybag/errors";
import { describe, expect, test } from "vitest";
import { LAYER_MEDIA_TYPES } from "./names.ts";
import { seeThroughLayer } from "./see-through-layer.ts";
import { sha256Hex } from "./sha256.ts";
import { refusal } from "./testing/refusal.ts";
import { noise } from "./testing/tiny-bundle.ts";
import { toldFrame, untoldFrame } from "./testing/zstd-streams.ts";

const CONTENT = noise(700_000, 1);
const BOMB = Buffer.alloc(50_000_000);

async function seen(blob: Buffer, mediaType: string, body?: Readable, signal?: AbortSignal) {
  const layer = {
    diffId: `sha256:${sha256Hex(CONTENT)}`,
    digest: `sha256:${sha256Hex(blob)}`,
    mediaType,
    sizeBytes: blob.length,
    uncompressedSizeBytes: CONTENT.length,
  };
  const pieces =
    blob.length === 0
      ? []
      : Array.from({ length: Math.ceil(blob.length / 60_000) }, (_, at) =>
          blob.subarray(at * 60_000, (at + 1) * 60_000),
        );
  const given: Buffer[] = [];
  const message = await refusal(async () => {
    for await (const chunk of seeThroughLayer(layer, body ?? Readable.from(pieces), signal))
      given.push(chunk);
  });
  return { bytes: Buffer.concat(given), message };
}

describe("a layer goes as it is that is packed with", () => {
  test.each<[string, string, Buffer | Promise<Buffer>]>([
    ["zstd that tells its size", LAYER_MEDIA_TYPES.zstd, toldFrame(CONTENT)],
    ["zstd that does not", LAYER_MEDIA_TYPES.zstd, untoldFrame(CONTENT)],
    [
      "zstd in frames",
      LAYER_MEDIA_TYPES.zstd,
      Buffer.concat([toldFrame(CONTENT.subarray(0, 9)), toldFrame(CONTENT.subarray(9))]),
    ],
    ["gzip", LAYER_MEDIA_TYPES.gzip, gzipSync(CONTENT)],
    [
      "gzip in members",
      LAYER_MEDIA_TYPES.gzip,
      Buffer.concat([gzipSync(CONTENT.subarray(0, 9)), gzipSync(CONTENT.subarray(9))]),
    ],
    ["nothing", LAYER_MEDIA_TYPES.none, CONTENT],
  ])("%s", async (_, mediaType, packed) => {
    const blob = await packed;
    const { bytes, message } = await seen(blob, mediaType);
    expect(message).toBe("not refused");
    expect(bytes.equals(blob)).toBe(true);
  });
});

describe("a layer is refused before its last piece that", () => {
  test.each<[string, string, string, () => Buffer | Promise<Buffer>]>([
    ["is a bomb of gzip", "layer-bomb", LAYER_MEDIA_TYPES.gzip, () => gzipSync(BOMB)],
    [
      "is a bomb in a second member",
      "layer-bomb",
      LAYER_MEDIA_TYPES.gzip,
      () => Buffer.concat([gzipSync(CONTENT), gzipSync(BOMB)]),
    ],
    ["is a bomb of zstd that tells no size", "layer-bomb", LAYER_MEDIA_TYPES.zstd, () => untoldFrame(BOMB)],
    [
      "is a bomb in a second frame",
      "layer-bomb",
      LAYER_MEDIA_TYPES.zstd,
      async () => Buffer.concat([await untoldFrame(CONTENT), toldFrame(BOMB)]),
    ],
    ["is shorter", "layer-refused", LAYER_MEDIA_TYPES.gzip, () => gzipSync(CONTENT.subarray(1))],
    ["is cut", "layer-refused", LAYER_MEDIA_TYPES.gzip, () => gzipSync(CONTENT).subarray(0, -9)],
    [
      "has something else behind it",
      "layer-refused",
      LAYER_MEDIA_TYPES.zstd,
      async () => Buffer.concat([await untoldFrame(CONTENT), noise(400_000, 3)]),
    ],
    [
      "has a block of no type right behind its header",
      "layer-refused",
      LAYER_MEDIA_TYPES.zstd,
      () => Buffer.concat([Buffer.from("28b52ffd2005ffffff", "hex"), CONTENT]),
    ],
    ["becomes something packed", "layer-refused", LAYER_MEDIA_TYPES.gzip, () => gzipSync(gzipSync(CONTENT))],
    ["is no gzip", "layer-refused", LAYER_MEDIA_TYPES.gzip, () => CONTENT],
  ])("%s: %s", async (_, code, mediaType, make) => {
    const blob = await make();
    const { bytes, message } = await seen(blob, mediaType);
    expect(message).toMatch(new RegExp(`^${code}: `));
    expect(bytes.length).toBeLessThan(blob.length);
  });
});

test("what follows the last member of gzip does not hold it up", async () => {
  const blob = Buffer.concat([gzipSync(CONTENT), noise(400_000, 3)]);
  const { message } = await seen(blob, LAYER_MEDIA_TYPES.gzip);
  expect(message).toMatch(/^layer-refused: /);
});

test("a body that fails is passed on, and so is a signal", async () => {
  const blob = gzipSync(CONTENT);
  const body = Readable.from(
    (async function* () {
      yield blob.subarray(0, 100_000);
      throw new DrybagError("digest-mismatch", "damaged");
    })(),
  );
  expect((await seen(blob, LAYER_MEDIA_TYPES.gzip, body)).message).toBe("digest-mismatch: damaged");
  const signal = AbortSignal.abort(new DrybagError("interrupted", "stopped"));
  expect((await seen(blob, LAYER_MEDIA_TYPES.gzip, undefined, signal)).message).toBe("interrupted: stopped");
});
