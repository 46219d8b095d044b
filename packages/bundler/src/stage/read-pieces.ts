import { open } from "node:fs/promises";

const PIECE_BYTES = 512 * 1024;

/**
 * The content of a file in pieces that are good until the next one is asked for: two pieces of memory in turn, one of which is read to
 * while the other is used.
 */
export async function* readPieces(path: string): AsyncGenerator<Buffer, void> {
  await using file = await open(path);
  const memory = [Buffer.allocUnsafeSlow(PIECE_BYTES), Buffer.allocUnsafeSlow(PIECE_BYTES)] as const;
  const read = async (turn: 0 | 1) => {
    const { bytesRead } = await file.read(memory[turn], 0, PIECE_BYTES);
    return memory[turn].subarray(0, bytesRead);
  };
  let turn: 0 | 1 = 0;
  let reading = read(turn);
  try {
    for (let piece = await reading; piece.length > 0; piece = await reading) {
      turn = turn === 0 ? 1 : 0;
      reading = read(turn);
      yield piece;
    }
  } finally {
    // Closing the file waits for nobody.
    await reading.catch(() => undefined);
  }
}
