import { expect, test } from "vitest";
import { PIECE_BYTES, PIECES_HELD } from "./compression.ts";
import { evenPieces, PieceMemory } from "./even-pieces.ts";

const PIECES = 3 * PIECES_HELD;

/** So many pieces and a half, each filled with its number, cut as no pipe would. */
async function* chunks(): AsyncGenerator<Buffer, void> {
  const all = Buffer.alloc(PIECES * PIECE_BYTES + PIECE_BYTES / 2);
  for (let piece = 0; piece <= PIECES; piece += 1) all.fill(piece + 1, piece * PIECE_BYTES);
  const chunkBytes = 300_007;
  for (let start = 0; start < all.length; start += chunkBytes) yield all.subarray(start, start + chunkBytes);
}

test("pieces are of one size but for the last, and good until the one after the next is asked for", async () => {
  const sizes: number[] = [];
  let before: Buffer | undefined;
  for await (const piece of evenPieces(chunks(), [])) {
    // All that is read ahead has been.
    await new Promise((resolve) => setImmediate(resolve));
    sizes.push(piece.length);
    expect(piece.equals(Buffer.alloc(piece.length, sizes.length))).toBe(true);
    if (before) expect(before.equals(Buffer.alloc(PIECE_BYTES, sizes.length - 1))).toBe(true);
    before = piece;
  }
  expect(sizes).toEqual([...new Array(PIECES).fill(PIECE_BYTES), PIECE_BYTES / 2]);
});

test("what fails behind pieces fails when they have been given", async () => {
  async function* failing(): AsyncGenerator<Buffer, void> {
    yield Buffer.alloc(PIECE_BYTES);
    throw new Error("pulled");
  }
  const seen: number[] = [];
  const reading = async () => {
    for await (const piece of evenPieces(failing(), [])) seen.push(piece.length);
  };
  await expect(reading()).rejects.toThrow("pulled");
  expect(seen).toEqual([PIECE_BYTES]);
});

test("whoever leaves early does not wait for what comes next", async () => {
  async function* hanging(): AsyncGenerator<Buffer, void> {
    yield Buffer.alloc(PIECE_BYTES);
    await new Promise<void>(() => undefined);
  }
  for await (const piece of evenPieces(hanging(), [])) {
    expect(piece.length).toBe(PIECE_BYTES);
    break;
  }
});

test("what one has used, the next is given", async () => {
  const memory = new PieceMemory();
  const first = memory.take();
  for await (const _ of evenPieces(chunks(), first));
  expect(first).toHaveLength(PIECES_HELD);
  expect(memory.take()).toEqual([]);
  memory.give(first);
  const second = memory.take();
  for await (const piece of evenPieces(chunks(), second))
    expect(first.some(({ buffer }) => buffer === piece.buffer)).toBe(true);
});
