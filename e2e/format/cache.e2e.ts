import { open, readdir, stat } from "node:fs/promises";
import path from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { HelloGap } from "../support/pack-hello.ts";
import type { ProgramRun } from "../support/run-programs.ts";

let gap: HelloGap;
let work: string;

beforeAll(async () => {
  gap = await HelloGap.open("cache");
  ({ work } = gap);
});

afterAll(() => gap?.[Symbol.asyncDispose]());

const stage = (run: ProgramRun) => {
  const { cachedLayers, layers } = JSON.parse(run.stdout) as { cachedLayers: number; layers: number };
  return { cachedLayers, layers };
};
const packWith = (cache: string, output: string, ...args: string[]) =>
  gap.drybag(["pack", "--json", "--bundle-version", "1.0", "-o", path.join(work, output), ...args], {
    env: { XDG_CACHE_HOME: path.join(work, cache) },
  });

test("is used by the next pack, and a layer that rots in it is dropped and made again", async () => {
  const cold = await packWith("rot", "rot-1");
  expect(stage(cold)).toMatchObject({ cachedLayers: 0 });
  const warm = await packWith("rot", "rot-2");
  expect(stage(warm).cachedLayers).toBe(stage(warm).layers);
  const blobs = path.join(work, "rot", "drybag", "store", "blobs");
  const sizes = await Promise.all(
    (await readdir(blobs)).map(async (name) => ({ name, size: (await stat(path.join(blobs, name))).size })),
  );
  const largest = sizes.sort((a, b) => b.size - a.size)[0];
  {
    await using blob = await open(path.join(blobs, largest?.name ?? ""), "r+");
    await blob.write(Buffer.from("rot"), 0, 3, Math.floor((largest?.size ?? 0) / 2));
  }
  const healed = await packWith("rot", "rot-3");
  expect(healed).toMatchObject({ exitCode: 0 });
  expect(healed.stderr).toMatch(/cache-rotten/);
  const [first, third] = ["rot-1", "rot-3"].map((name) => path.join(work, name));
  await execa("diff", ["-r", first as string, third as string]);
});

test("is safe for two packs at once", async () => {
  const runs = await Promise.all([
    packWith("twin", "twin-1"),
    packWith("twin", "twin-2"),
    packWith("twin", "twin-3"),
  ]);
  for (const run of runs) expect(run).toMatchObject({ exitCode: 0 });
  await execa("diff", ["-r", path.join(work, "twin-1"), path.join(work, "twin-2")]);
  await execa("diff", ["-r", path.join(work, "twin-1"), path.join(work, "twin-3")]);
});

test("tells what it holds, and is pruned by size and age", async () => {
  const cache = (...args: string[]) =>
    gap.drybag(["cache", ...args, "--json"], { env: { XDG_CACHE_HOME: path.join(work, "twin") } });
  const before = JSON.parse((await cache("info")).stdout) as { sizeBytes: number };
  expect(before.sizeBytes).toBeGreaterThan(0);
  expect((await cache("prune")).exitCode).toBe(2);
  expect(JSON.parse((await cache("prune", "--older-than", "1d")).stdout)).toMatchObject({ blobs: 0 });
  expect(JSON.parse((await cache("prune", "--max-size", "0")).stdout)).toMatchObject({
    freedBytes: before.sizeBytes,
    leftBytes: 0,
  });
  expect(stage(await packWith("twin", "twin-4"))).toMatchObject({ cachedLayers: 0 });
});
