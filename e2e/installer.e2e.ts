import { readdir, readFile, rm } from "node:fs/promises";
import path from "node:path";
import type { Manifest } from "@drybag/format";
import type { Engine } from "@drybag/lab";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Gap } from "./support/gap.ts";
import {
  containersOf,
  damagedCopy,
  holdingLoads,
  imagesOf,
  interrupt,
  startInstaller,
  untilLoadHeld,
} from "./support/installer.ts";

const BUSYBOX = "drybag/hello-task:1.0.0";
const BIG_LAYER_MIB = 96;
/** Small in the bundle; unpacked it is enough for a classic store to be given an archive more. */
const EMPTY_LAYER_MIB = 80;
const NASTY = ' it\'s "$HOME" ${X} \\ #1 ';

let gap: Gap;
let work: string;
let carryFolder: string;
let manifest: Manifest;

const COMPOSE = `
services:
  app:
    image: inst/app:1
    entrypoint: ["sleep", "1000000"]
    environment:
      NASTY: \${NASTY:-}
    stop_grace_period: 0s
    healthcheck: { test: [CMD, "true"], interval: 1s }
  second:
    image: inst/second:1
    entrypoint: ["sleep", "1000000"]
    env_file: [second.env]
    stop_grace_period: 0s
    healthcheck: { test: [CMD, "true"], interval: 1s }
  third:
    image: inst/third:1
    entrypoint: ["sleep", "1000000"]
    stop_grace_period: 0s
    healthcheck: { test: [CMD, "true"], interval: 1s }
`;

beforeAll(async () => {
  gap = await Gap.open("inst", {
    site: { imageStore: "classic" },
    sites: [{ name: "modern", imageStore: "containerd" }],
  });
  ({ work } = gap);
  await gap.build(
    "inst/app:1",
    `FROM ${BUSYBOX}\nRUN dd if=/dev/urandom of=/big bs=1M count=${BIG_LAYER_MIB}\n`,
  );
  await gap.build("inst/second:1", `FROM ${BUSYBOX}\nRUN echo second >/second\n`);
  await gap.build(
    "inst/third:1",
    `FROM ${BUSYBOX}\nRUN dd if=/dev/zero of=/empty bs=1M count=${EMPTY_LAYER_MIB}\n`,
  );
  carryFolder = await gap.pack("app", "1", { "compose.yaml": COMPOSE, "second.env": "SECOND=2\n" });
});

afterAll(() => gap?.[Symbol.asyncDispose]());

describe.each(["site", "modern"] as const)("on the engine '%s'", (siteName) => {
  let site: Engine;
  let dir: string;
  let args: string[];

  beforeAll(async () => {
    site = gap.siteNamed(siteName);
    dir = path.join(work, `opt-${siteName}`);
    args = ["install", carryFolder, "--json", "--yes", "--dir", dir];
    // Another image under a tag of the bundle: a load that fails must not have taken its tag away.
    await gap.build("inst/second:older", `FROM ${BUSYBOX}\nRUN echo older >/second\n`);
    const saved = path.join(work, `older-${siteName}.tar`);
    await gap.connected.docker(["save", "-o", saved, "inst/second:older"]);
    await site.docker(["load", "-i", saved]);
    await site.docker(["tag", "inst/second:older", "inst/second:1"]);
    await site.docker(["rmi", "inst/second:older"]);
  });

  test("a flipped bit in any blob is refused by name, and the images are what they were", async () => {
    manifest = JSON.parse(await readTarManifest(carryFolder)) as Manifest;
    const app = manifest.images.find(({ tag }) => tag === "inst/app:1") as Manifest["images"][number];
    const big = manifest.layers.toSorted((a, b) => b.sizeBytes - a.sizeBytes)[0]?.digest as string;
    const small = manifest.layers.toSorted((a, b) => a.sizeBytes - b.sizeBytes)[0]?.digest as string;
    const before = await imagesOf(site);
    // With the last one, a classic store has the other images already.
    const last = manifest.layers.at(-1)?.digest as string;
    for (const digest of [big, small, app.configDigest, app.manifestDigest, last]) {
      const entry = `blobs/sha256/${digest.replace("sha256:", "")}`;
      const damaged = await damagedCopy(carryFolder, entry, path.join(work, "damaged"));
      const run = await startInstaller(site, ["install", damaged, "--json", "--yes", "--dir", dir]);
      await rm(damaged, { recursive: true });
      expect(run.exitCode, run.stderr).toBe(5);
      const { error } = JSON.parse(run.stdout) as { error: { code: string; message: string } };
      expect(error.code).toBe("digest-mismatch");
      expect(error.message).toContain(entry);
      expect(error.message).toContain("app-1.tar");
      expect(await imagesOf(site)).toEqual(before);
      expect(await readdir(path.join(dir, "app", "releases")).catch(() => [])).toEqual([]);
    }
  });

  test("Ctrl-C in the middle of a layer stops without waiting for the engine, and leaves everything as it was", async () => {
    const before = await imagesOf(site);
    const run = startInstaller(site, args, holdingLoads(site));
    await untilLoadHeld(run);
    // The load stands still: who waits for it waits for ever.
    const tookMs = await interrupt(run);
    console.log(`${siteName}: stopped after ${Math.round(tookMs)} ms`);
    expect(JSON.parse((await run).stdout)).toMatchObject({
      error: { code: "interrupted", detail: expect.stringContaining("images are as they were before") },
    });
    expect(await imagesOf(site)).toEqual(before);
    expect(await readdir(path.join(dir, "app"))).toEqual(["journal.ndjson"]);
  });

  test("kill -9 in the middle of the load: the same command again finishes", async () => {
    const killed = startInstaller(site, args, holdingLoads(site));
    await untilLoadHeld(killed);
    process.kill(-(killed.pid as number), "SIGKILL");
    await killed;
    expect(await readdir(path.join(dir, "app"))).toContain(".lock");

    const run = await startInstaller(site, [...args, "--set", `NASTY=${NASTY}`]);
    expect(run.exitCode, run.stdout + run.stderr).toBe(0);
    const report = JSON.parse(run.stdout) as { started: boolean; images: { tag: string; id: string }[] };
    expect(report.started).toBe(true);
    for (const { tag, id } of report.images) {
      const { stdout } = await site.docker(["image", "inspect", "--format", "{{.Id}}", tag]);
      expect(stdout).toBe(id);
    }
    expect((await readdir(path.join(dir, "app"))).sort()).toEqual([
      "current",
      "journal.ndjson",
      "releases",
      "site.env",
      "tasks.json",
    ]);
    expect(await readdir(path.join(dir, "app", "releases"))).toHaveLength(1);
  });

  test("the answer arrives as it was given, and a plain 'docker compose up' changes nothing", async () => {
    const { stdout } = await site.docker(["inspect", "--format", "{{json .Config.Env}}", "app-app-1"]);
    expect(JSON.parse(String(stdout))).toContain(`NASTY=${NASTY}`);
    const before = await containersOf(site, "app");
    await site.exec(["docker", "compose", "up", "--detach"], { cwd: path.join(dir, "app", "current") });
    expect(await containersOf(site, "app")).toEqual(before);
  });

  test("the same command again loads nothing and starts nothing", async () => {
    const before = await containersOf(site, "app");
    const run = await startInstaller(site, args);
    expect(run.exitCode, run.stdout + run.stderr).toBe(0);
    const report = JSON.parse(run.stdout) as { started: boolean; images: { loaded: boolean }[] };
    expect(report).toMatchObject({ started: false, images: Array(3).fill({ loaded: false }) });
    expect(await containersOf(site, "app")).toEqual(before);
  });

  test("an image that went missing is loaded again, the other one is not", async () => {
    await site.docker(["rm", "-f", "app-second-1"]);
    await site.docker(["rmi", "-f", "inst/second:1"]);
    const run = await startInstaller(site, args);
    expect(run.exitCode, run.stdout + run.stderr).toBe(0);
    const report = JSON.parse(run.stdout) as { images: { tag: string; loaded: boolean }[] };
    expect(report.images.map(({ tag, loaded }) => [tag, loaded])).toEqual([
      ["inst/app:1", false],
      ["inst/second:1", true],
      ["inst/third:1", false],
    ]);
  });
});

/** The manifest is the first entry, behind a header of three blocks. */
async function readTarManifest(folder: string): Promise<string> {
  const content = await readFile(path.join(folder, "app-1.tar"));
  const start = content.indexOf("{\n");
  const header = 1024;
  const size = Number.parseInt(content.toString("latin1", header + 124, header + 135), 8);
  return content.toString("utf8", start, start + size);
}
