import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { pruneCache, readCacheFacts } from "./prune-cache.ts";

let directory: string;

/** Blobs of 100 bytes, used one day apart: `old`, `middle`, `new`; each with its record. */
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "drybag-prune-"));
  for (const folder of ["blobs", "layers", "images"]) await mkdir(path.join(directory, folder));
  for (const [index, name] of ["old", "middle", "new"].entries()) {
    const blob = path.join(directory, "blobs", name);
    await writeFile(blob, Buffer.alloc(100));
    await utimes(blob, (index + 1) * 86_400, (index + 1) * 86_400);
    await writeFile(
      path.join(directory, "layers", `${name}.json`),
      JSON.stringify({ digest: `sha256:${name}` }),
    );
  }
});
afterEach(() => rm(directory, { recursive: true, force: true }));

test("tells what is there", async () => {
  expect(await readCacheFacts(directory)).toMatchObject({ blobs: 3, layers: 3, images: 0, sizeBytes: 300 });
  expect(await readCacheFacts(path.join(directory, "none"))).toMatchObject({ blobs: 0, sizeBytes: 0 });
});

test.each([
  ["by age", { usedSince: new Date(1.5 * 86_400_000) }, ["middle", "new"]],
  ["by size, the least recently used first", { maxSizeBytes: 150 }, ["new"]],
  ["by both", { usedSince: new Date(1.5 * 86_400_000), maxSizeBytes: 150 }, ["new"]],
  ["not at all where there is nothing to do", { maxSizeBytes: 300 }, ["middle", "new", "old"]],
])("prunes %s, and the records with it", async (_name, limits, left) => {
  const pruned = await pruneCache(directory, limits);
  expect(pruned).toMatchObject({ blobs: 3 - left.length, leftBytes: 100 * left.length });
  expect((await readdir(path.join(directory, "blobs"))).sort()).toEqual(left);
  expect((await readdir(path.join(directory, "layers"))).sort()).toEqual(left.map((name) => `${name}.json`));
});
