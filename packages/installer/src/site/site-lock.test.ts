import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ownIdentity } from "./process-identity.ts";
import { lockSite } from "./site-lock.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "drybag-lock-"));
});
afterEach(() => rm(folder, { recursive: true }));

test("a second command is refused while the first one runs, and not after it", async () => {
  const path = join(folder, "stack", ".lock");
  const first = await lockSite(path);
  await expect(lockSite(path)).rejects.toMatchObject({
    code: "already-running",
    message: expect.stringContaining(String(process.pid)),
  });
  await first.release();
  await (await lockSite(path)).release();
  expect(await readdir(join(folder, "stack"))).toEqual([]);
});

test.each([
  ["that number belongs to another process now", { startTime: "1" }],
  ["the machine has started again since", { bootId: "another" }],
  ["no such process is there", { pid: 2 ** 22 + 1 }],
])("a lock left behind is taken over: %s", async (_, difference) => {
  const path = join(folder, ".lock");
  await writeFile(path, JSON.stringify({ ...(await ownIdentity()), ...difference }));
  await using _lock = await lockSite(path);
  expect(await readdir(folder)).toEqual([".lock"]);
});

test("of many that find a stale lock, one gets it, every time", async () => {
  for (let round = 0; round < 20; round += 1) {
    const path = join(folder, String(round));
    await writeFile(path, "half a li");
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => lockSite(path)));
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  }
});
