import { PIECE_BYTES } from "./compression.ts";

/**
 * Gives bytes on in pieces that are all of the same size, but for the last. What zstd makes of a stream depends on the pieces that it comes
 * in, and how a pipe cuts it is a matter of chance: bundles would not be the same each time.
 *
 * A piece is good until the one after the next is asked for: one can be compressed while the next is put together.
 */
export async function* evenPieces(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, void> {
  let piece = Buffer.allocUnsafeSlow(PIECE_BYTES);
  let spare = Buffer.allocUnsafeSlow(PIECE_BYTES);
  let filled = 0;
  for await (const chunk of chunks) {
    let rest = chunk;
    while (rest.length > 0) {
      const taken = rest.subarray(0, PIECE_BYTES - filled);
      piece.set(taken, filled);
      filled += taken.length;
      rest = rest.subarray(taken.length);
      if (filled < PIECE_BYTES) continue;
      yield piece;
      [piece, spare] = [spare, piece];
      filled = 0;
    }
  }
  if (filled > 0) yield piece.subarray(0, filled);
}
