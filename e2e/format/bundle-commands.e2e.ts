import { appendFile, cp, mkdir, open, readdir } from "node:fs/promises";
import path from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { HelloGap, type Packed } from "../support/pack-hello.ts";
import { FIXTURES } from "../support/paths.ts";

let gap: HelloGap;
let work: string;
let key: string;
/** Signed, in one file. */
let whole: Packed;

beforeAll(async () => {
  gap = await HelloGap.open("bundle-commands");
  ({ work } = gap);
  key = await gap.makeKey("jane");
  whole = await gap.packHello("whole", ["--sign", key]);
});

afterAll(() => gap?.[Symbol.asyncDispose]());

describe("split and join", () => {
  test("split and joined again it is the same, to the byte", async () => {
    const sign = ["--sign", key];
    const [split, joined] = [path.join(work, "split"), path.join(work, "joined")];
    expect(
      await gap.drybag(["split", whole.directory, "-o", split, "--part-size", "1M", ...sign]),
    ).toMatchObject({ exitCode: 0 });
    const parts = path.join(split, path.basename(whole.directory));
    expect((await readdir(parts)).filter((name) => /\.tar\.\d+$/.test(name)).length).toBeGreaterThan(1);
    expect(await gap.drybag(["verify", parts])).toMatchObject({ exitCode: 0 });
    expect(await gap.drybag(["join", parts, "-o", joined, ...sign])).toMatchObject({ exitCode: 0 });
    await execa("diff", ["-r", whole.directory, path.join(joined, path.basename(whole.directory))]);
  });

  test("a damaged bundle is not split, and nothing is left", async () => {
    const copy = path.join(work, "damaged");
    await cp(whole.directory, copy, { recursive: true });
    const tar = path.join(copy, path.basename(whole.tar));
    await using file = await open(tar, "r+");
    await file.write(Buffer.from([255]), 0, 1, (await file.stat()).size - 5000);
    const output = path.join(work, "split-damaged");
    const run = await gap.drybag(["split", copy, "-o", output, "--part-size", "1M", "--sign", key]);
    expect(run.exitCode).toBe(5);
    expect(await readdir(output)).toEqual([]);
  });
});

describe("verify: the medium", () => {
  test("is read past the page cache, or it is said that it cannot be", async () => {
    const onDisk = await gap.packHello("media", ["--verify-media"]);
    expect((await gap.drybag(["verify", onDisk.directory, "--media", "--layers"])).exitCode).toBe(0);
  });
});

describe("inspect and diff", () => {
  test("show what is inside and what changes", async () => {
    const shown = await gap.drybag(["inspect", whole.directory, "--files"]);
    for (const image of whole.manifest.images) expect(shown.stdout).toContain(image.tag);
    expect(shown.stdout).toContain("project/compose.yaml");
    expect(JSON.parse((await gap.drybag(["inspect", whole.directory, "--json"])).stdout)).toMatchObject({
      id: whole.id,
      manifest: { name: "hello" },
    });
    const project = path.join(work, "changed", "hello");
    await mkdir(path.dirname(project), { recursive: true });
    await cp(path.join(FIXTURES, "hello"), project, { recursive: true });
    await appendFile(path.join(project, "content", "about.txt"), "changed\n");
    const changed = await gap.packHello("changed-out", ["--bundle-version", "2.0"], { cwd: project });
    const run = await gap.drybag(["diff", whole.directory, changed.directory, "--json"]);
    expect(JSON.parse(run.stdout)).toMatchObject({
      same: false,
      files: { added: [], removed: [], changed: ["project/content/about.txt"] },
      images: { added: [], removed: [], changed: [] },
      newLayers: { count: 0, sizeBytes: 0 },
    });
    expect((await gap.drybag(["diff", whole.directory, whole.directory])).stdout).toMatch(
      /are the same bundle/,
    );
  });
});
