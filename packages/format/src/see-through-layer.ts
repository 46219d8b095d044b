import { once } from "node:events";
import { PassThrough, type Readable, Writable } from "node:stream";
import { tellsSize } from "./layer-watch.ts";
import type { BundledLayer } from "./manifest.ts";
import { LAYER_MEDIA_TYPES } from "./names.ts";
import { unpackLayer } from "./unpack-layer.ts";

/**
 * A layer as it is stored, for an engine that unpacks it by itself: its last piece comes only when it is sure that no more becomes of it
 * than the manifest says. Where it does not tell that itself (gzip, and zstd that was written as a stream), it is unpacked here too, in
 * passing and into nothing. Throws layer-bomb, layer-refused, and the errors of the body.
 */
export async function* seeThroughLayer(
  layer: BundledLayer,
  body: Readable,
  signal?: AbortSignal,
): AsyncGenerator<Buffer, void> {
  const chunks: AsyncIterator<Buffer> = body[Symbol.asyncIterator]();
  const first = await chunks.next();
  if (first.done) return;
  const whole = inFrontOf(first.value, chunks);
  const isSure = layer.mediaType === LAYER_MEDIA_TYPES.none || tellsSize(first.value, layer);
  yield* isSure ? whole : unpackedInPassing(layer, whole, signal);
}

async function* inFrontOf(first: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer, void> {
  yield first;
  for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
}

async function* unpackedInPassing(
  layer: BundledLayer,
  chunks: AsyncIterable<Buffer>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer, void> {
  const copy = new PassThrough();
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  // The engine compares the digest of what it unpacks itself.
  const unpacked = unpackLayer(layer, copy, nowhere, signal, { digest: "left to target" });
  unpacked.catch(() => undefined);
  try {
    let held: Buffer | undefined;
    for await (const chunk of chunks) {
      if (held) yield held;
      held = chunk;
      if (!copy.write(chunk)) await Promise.race([once(copy, "drain").catch(() => unpacked), unpacked]);
    }
    copy.end();
    await unpacked;
    if (held) yield held;
  } finally {
    copy.destroy();
  }
}
