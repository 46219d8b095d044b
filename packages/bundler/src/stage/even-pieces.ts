import { Transform } from "node:stream";

const PIECE_BYTES = 256 * 1024;

/**
 * Gives bytes on in pieces that are all of the same size, but for the last. What zstd makes of a stream depends on the pieces that it comes
 * in, and how a pipe cuts it is a matter of chance: bundles would not be the same each time.
 */
export function evenPieces(): Transform {
  let piece = Buffer.allocUnsafeSlow(PIECE_BYTES);
  let filled = 0;
  return new Transform({
    readableHighWaterMark: 2 * PIECE_BYTES,
    transform(chunk: Buffer, _encoding, done) {
      let rest = chunk;
      while (rest.length > 0) {
        const taken = rest.subarray(0, PIECE_BYTES - filled);
        piece.set(taken, filled);
        filled += taken.length;
        rest = rest.subarray(taken.length);
        if (filled === PIECE_BYTES) {
          this.push(piece);
          // A new one each time: the one before is still being compressed.
          piece = Buffer.allocUnsafeSlow(PIECE_BYTES);
          filled = 0;
        }
      }
      done();
    },
    flush(done) {
      if (filled > 0) this.push(piece.subarray(0, filled));
      done();
    },
  });
}
