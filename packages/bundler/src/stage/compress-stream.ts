import type { Transform } from "node:stream";
import { Garbage } from "./garbage.ts";

/**
 * Compresses pieces with a stream of zlib and gives `write` what comes out. A piece may be used again when the next but one is asked for.
 * `onPiece` is called for each while it is being compressed, so that hashing it takes no time of its own.
 *
 * By hand, since a chain of streams would need new memory for every piece and pass it through a queue at each joint.
 */
export async function compressStream(
  pieces: AsyncIterable<Uint8Array>,
  compressor: Transform,
  onPiece: (piece: Uint8Array) => void,
  write: (compressed: Buffer) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const garbage = new Garbage();
  let failure: { error: unknown } | undefined;
  let writing: Promise<void> = Promise.resolve();
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  const fail = (error: unknown) => {
    failure ??= { error };
    end();
  };
  compressor.on("error", fail);
  compressor.on("end", end);
  compressor.on("data", (compressed: Buffer) => {
    writing = writing.then(() => write(compressed)).then(() => garbage.add(compressed.length));
    writing.catch(fail);
  });
  const throwIfFailed = () => {
    signal.throwIfAborted();
    if (failure) throw failure.error;
  };
  try {
    let compressing: Promise<void> = Promise.resolve();
    for await (const piece of pieces) {
      await compressing;
      // What is compressed already must not pile up in front of a slow disk.
      await writing;
      throwIfFailed();
      compressing = new Promise((resolve) => {
        compressor.write(piece, () => resolve());
      });
      onPiece(piece);
    }
    await compressing;
    throwIfFailed();
    compressor.end();
    await ended;
    await writing;
    throwIfFailed();
  } finally {
    compressor.destroy();
  }
}
