import { PIECE_BYTES, PIECES_HELD } from "./compression.ts";

/**
 * Gives bytes on in pieces that are all of the same size, but for the last. What zstd makes of a stream depends on the pieces that it comes
 * in, and how a pipe cuts it is a matter of chance: bundles would not be the same each time.
 *
 * A piece is good until the one after the next is asked for: one can be compressed while the next is looked at. Others are read ahead,
 * so that what compresses slowly does not keep the engine waiting, and what compresses fast need not wait for it.
 */
export function evenPieces(
  chunks: AsyncIterable<Uint8Array>,
  memory: Buffer[],
): AsyncGenerator<Buffer, void> {
  return readAhead(cutEvenly(chunks, memory), PIECES_HELD - 1);
}

/**
 * Memory for pieces that one layer after the other is given: what each would take for itself is garbage afterwards, of which there may be
 * tens of megabytes before somebody collects it.
 */
export class PieceMemory {
  readonly #free: Buffer[][] = [];

  take(): Buffer[] {
    return this.#free.pop() ?? [];
  }

  /** Nobody uses it any more. */
  give(memory: Buffer[]): void {
    this.#free.push(memory);
  }
}

/** All in the same few pieces of memory, in turn; those that `memory` lacks are added to it. */
async function* cutEvenly(chunks: AsyncIterable<Uint8Array>, memory: Buffer[]): AsyncGenerator<Buffer, void> {
  let turn = 0;
  let filled = 0;
  for await (const chunk of chunks) {
    let rest = chunk;
    while (rest.length > 0) {
      const piece = memory[turn] ?? Buffer.allocUnsafeSlow(PIECE_BYTES);
      memory[turn] = piece;
      const taken = rest.subarray(0, PIECE_BYTES - filled);
      piece.set(taken, filled);
      filled += taken.length;
      rest = rest.subarray(taken.length);
      if (filled < PIECE_BYTES) continue;
      yield piece;
      turn = (turn + 1) % PIECES_HELD;
      filled = 0;
    }
  }
  if (filled > 0) yield (memory[turn] as Buffer).subarray(0, filled);
}

/** Asks for so many values at a time: the one that is wanted, and those after it. */
async function* readAhead<T>(values: AsyncGenerator<T, void>, count: number): AsyncGenerator<T, void> {
  const asked: Promise<IteratorResult<T, void>>[] = [];
  try {
    while (true) {
      while (asked.length < count) {
        const next = values.next();
        // Of one that nobody comes to ask for any more.
        next.catch(() => undefined);
        asked.push(next);
      }
      const next = await asked.shift();
      if (next === undefined || next.done) return;
      yield next.value;
    }
  } finally {
    // Not waited for: it may hang on a pipe that is closed only later.
    values.return().catch(() => undefined);
  }
}
