import { Readable, Writable } from "node:stream";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { LayerWatch } from "./layer-watch.ts";
import type { BundledLayer } from "./manifest.ts";
import { LAYER_MEDIA_TYPES } from "./names.ts";
import { seeThroughLayer } from "./see-through-layer.ts";
import { sha256Hex } from "./sha256.ts";
import { expectRefusal, flipIn, fuzz, type Random } from "./testing/fuzz.ts";
import { noise } from "./testing/tiny-bundle.ts";
import { skippableFrame, toldFrame, untoldFrame } from "./testing/zstd-streams.ts";
import { unpackLayer } from "./unpack-layer.ts";

test("layers never become more than they say, however they are packed", async () => {
  const content = Buffer.concat([noise(3000, 1), Buffer.alloc(300_000), noise(2000, 2)]);
  const pieces = [content.subarray(0, 1000), content.subarray(1000, 4000), content.subarray(4000)];
  const packed: [string, Buffer][] = [
    [LAYER_MEDIA_TYPES.gzip, Buffer.concat(pieces.map((piece) => gzipSync(piece)))],
    [LAYER_MEDIA_TYPES.zstd, Buffer.concat(pieces.map(toldFrame))],
    [LAYER_MEDIA_TYPES.zstd, toldFrame(content)],
    [LAYER_MEDIA_TYPES.zstd, Buffer.concat([skippableFrame(20), await untoldFrame(content)])],
    [LAYER_MEDIA_TYPES.none, content],
  ];
  await fuzz("layers", async (random) => {
    const [mediaType, original] = packed[random(packed.length)] ?? ["", Buffer.alloc(0)];
    let blob: Buffer = Buffer.from(original);
    for (let times = random(4); times > 0; times--) blob = mutateBlob(blob, random);
    const layer: BundledLayer = {
      diffId: `sha256:${sha256Hex(content)}`,
      digest: `sha256:${sha256Hex(blob)}`,
      mediaType,
      sizeBytes: blob.length,
      uncompressedSizeBytes: random(4) === 0 ? random(2 * content.length) : content.length,
    };
    const at = random(blob.length + 1);
    const chunks = () => Readable.from([blob.subarray(0, at), blob.subarray(at)].filter(isNotEmpty));
    let unpackedBytes = 0;
    const count = new Writable({
      write(chunk: Buffer, _encoding, done) {
        unpackedBytes += chunk.length;
        done();
      },
    });
    const unpacking = await unpackLayer(layer, chunks(), count).catch((error) => error);
    if (unpacking !== undefined) expectRefusal(unpacking);
    expect(unpackedBytes).toBeLessThanOrEqual(layer.uncompressedSizeBytes);

    const watch = new LayerWatch(layer);
    const problem = watch.take(blob) ?? watch.end();
    // Whoever can unpack it has nothing to complain of.
    if (unpacking === undefined) expect(problem).toBeUndefined();
    let passedBytes = 0;
    const seen = await (async () => {
      for await (const chunk of seeThroughLayer(layer, chunks())) passedBytes += chunk.length;
    })().catch((error) => error);
    if (seen !== undefined) {
      expectRefusal(seen);
      expect(passedBytes).toBeLessThan(Math.max(blob.length, 1));
    }
    if (unpacking === undefined) expect(seen).toBeUndefined();
  });
});

function isNotEmpty(bytes: Buffer): boolean {
  return bytes.length > 0;
}

/** A bit, a cut, a piece twice or a piece of something else. */
function mutateBlob(blob: Buffer, random: Random): Buffer {
  const at = random(blob.length + 1);
  const end = Math.min(blob.length, at + random(300));
  switch (random(5)) {
    case 0:
      return blob.subarray(0, at);
    case 1:
      return Buffer.concat([blob.subarray(0, end), blob.subarray(at)]);
    case 2:
      return Buffer.concat([blob, toldFrame(Buffer.alloc(random(1_000_000)))]);
    case 3:
      return Buffer.concat([
        blob.subarray(0, at),
        Buffer.from(noise(random(20), random(99))),
        blob.subarray(at),
      ]);
    default: {
      const flipped = Buffer.from(blob);
      // Headers are where it counts.
      flipIn(random(2) === 0 ? flipped : flipped.subarray(0, 40), random);
      return flipped;
    }
  }
}
