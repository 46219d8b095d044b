import { createHash, randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { partHash, sharedMemory } from "./part-hash.ts";

const sha256 = (...pieces: Buffer[]) => createHash("sha256").update(Buffer.concat(pieces)).digest("hex");

describe.each([
  ["here", 1],
  ["on a thread", 1e9],
])("hashing %s", (_, sizeBytes) => {
  test("gives the digest of one part after the other", async () => {
    const hash = partHash(sizeBytes);
    const pieces = Array.from({ length: 9 }, (_, at) => {
      const memory = sharedMemory(100_000 + at);
      randomBytes(memory.length).copy(memory);
      return memory;
    });
    for (const piece of pieces.slice(0, 5)) hash.update(piece);
    expect(await hash.digest()).toBe(sha256(...pieces.slice(0, 5)));
    for (const piece of pieces.slice(5)) await hash.update(piece);
    expect(await hash.digest()).toBe(sha256(...pieces.slice(5)));
    expect(await hash.digest()).toBe(sha256());
    await hash.close();
  });

  test("memory is free again when it resolves", async () => {
    const hash = partHash(sizeBytes);
    const memory = sharedMemory(500_000);
    for (const fill of [1, 2]) {
      await hash.update(memory.fill(fill));
    }
    expect(await hash.digest()).toBe(sha256(Buffer.alloc(500_000, 1), Buffer.alloc(500_000, 2)));
    await hash.close();
  });
});

test("what a thread that has ended is asked for fails", async () => {
  const hash = partHash(1e9);
  await hash.close();
  await expect(hash.digest()).rejects.toThrow("ended");
});
