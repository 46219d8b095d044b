import { readdir, rm, statfs } from "node:fs/promises";
import path from "node:path";
import type { Engine } from "@drybag/lab";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { holdingLoads, imagesOf, letGo, untilLoadHeld } from "../support/installer.ts";
import { BIG_LAYER_MIB, MIB, Refusals } from "./refusals.ts";

const dataRootSizeBytes = 512 * MIB;
/** With the twentieth that ext4 keeps for root, enough for the archive and too little for what it becomes. */
const LEFT_MIB = BIG_LAYER_MIB - 8;

let refusals: Refusals;

beforeAll(async () => {
  refusals = await Refusals.open("refuse-disk", {
    site: { imageStore: "classic", dataRootSizeBytes },
    sites: [{ name: "modern", imageStore: "containerd", dataRootSizeBytes }],
  });
  await refusals.packWhole();
});

afterAll(() => refusals?.[Symbol.asyncDispose]());

/** Fills an engine's disk so that so much is left. Disposing of it makes room again. */
async function leaveFree(site: Engine, freeMib: number): Promise<AsyncDisposable> {
  const { bavail, bsize } = await statfs(site.dataRoot);
  const file = path.join(site.dataRoot, "filler");
  await execa("fallocate", ["-l", String(bavail * bsize - freeMib * MIB), file]);
  return { [Symbol.asyncDispose]: () => rm(file) };
}

describe.each(["site", "modern"] as const)("a disk that is too small, on the engine '%s'", (name) => {
  test("is seen before anything is changed", async () => {
    const site = refusals.siteNamed(name);
    await using _ = await leaveFree(site, LEFT_MIB);
    const said = await refusals.refused(site, refusals.start(site), {
      exitCode: 6,
      before: await imagesOf(site),
    });
    expect(said).toMatch(
      /^error: The images need .* free in .*; there are .* \[disk-full\]\n→ Make .* more room/,
    );
    expect(await readdir(refusals.dirOf(site)).catch(() => [])).toEqual([]);
  });

  test("and one that fills up during the load, leave the images as they were; with room it goes on", async () => {
    const site = refusals.siteNamed(name);
    const before = await imagesOf(site);
    const run = refusals.start(site, refusals.whole, { env: holdingLoads(site) });
    const client = await untilLoadHeld(run);
    {
      await using _ = await leaveFree(site, LEFT_MIB);
      letGo(client);
      const said = await refusals.refused(site, run, { exitCode: 6, before });
      expect(said).toMatch(/^error: The disk filled up while the engine took the images\. \[disk-full\]/);
    }
    const { exitCode, stderr } = await refusals.start(site);
    expect(exitCode, stderr).toBe(0);
    await site.docker(["rm", "--force", "app-app-1"]);
    await site.docker(["rmi", "--force", "refuse/app:1"]);
    await rm(refusals.dirOf(site), { recursive: true });
  });
});
