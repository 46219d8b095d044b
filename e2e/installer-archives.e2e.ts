import { rm } from "node:fs/promises";
import path from "node:path";
import type { Engine } from "@drybag/lab";
import { execa } from "execa";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Gap } from "./support/gap.ts";
import { damagedCopy, type InstallerProcess, imagesOf, startInstaller } from "./support/installer.ts";

/** Two images that are large enough for an archive each, the second one for a time in which the first is there alone. */
const SIZES_MIB = { first: 80, second: 400 };

const service = (image: string) => `
  ${image}:
    image: archives/${image}:1
    entrypoint: [sleep, "1000000"]
    stop_grace_period: 0s`;

const COMPOSE = `services:${Object.keys(SIZES_MIB).map(service).join("")}\n`;

let gap: Gap;
let bundle: string;
let dir: string;

beforeAll(async () => {
  gap = await Gap.open("archives", {
    site: { imageStore: "classic" },
    sites: [{ name: "modern", imageStore: "containerd" }],
  });
  ({ dir } = gap);
  for (const [name, mib] of Object.entries(SIZES_MIB)) {
    const dockerfile = `FROM drybag/hello-task:1.0.0\nRUN dd if=/dev/urandom of=/${name} bs=1M count=${mib}\n`;
    await gap.build(`archives/${name}:1`, dockerfile);
  }
  bundle = await gap.pack("pair", "1", { "compose.yaml": COMPOSE });
});

afterAll(() => gap?.[Symbol.asyncDispose]());

describe.each(["site", "modern"] as const)("on the engine '%s'", (siteName) => {
  let site: Engine;

  beforeEach(async () => {
    site = gap.siteNamed(siteName);
    await startInstaller(site, ["uninstall", "pair", "--yes", "--dir", dir]);
    await rm(dir, { recursive: true, force: true });
    await site.docker(["system", "prune", "--all", "--force"]);
  });

  const install = (folder = bundle) =>
    startInstaller(site, ["install", folder, "--json", "--yes", "--dir", dir]);

  /** Resolves when the engine has an image without a name, and says which. */
  async function untilNameless(run: InstallerProcess): Promise<string> {
    let hasEnded = false;
    void run.then(() => {
      hasEnded = true;
    });
    while (!hasEnded) {
      const [id] = await nameless();
      if (id !== undefined) return id;
    }
    throw new Error(`no image was without a name: ${(await run).stderr}`);
  }

  const nameless = async () =>
    (await imagesOf(site)).filter((line) => line.startsWith("<none>")).map((line) => line.split(" ")[1]);

  async function expectInstalled(): Promise<void> {
    const { exitCode, stderr } = await install();
    expect(exitCode, stderr).toBe(0);
    const names = (await imagesOf(site)).map((line) => line.split(" ")[0]);
    expect(names).toEqual(["archives/first:1", "archives/second:1"]);
    const doctor = await startInstaller(site, ["doctor", "--json", "--dir", dir]);
    expect(JSON.parse(doctor.stdout)).toMatchObject({ stacks: [{ ok: true, findings: [] }] });
  }

  test("an image is with the engine before the last one was read, under no name", async () => {
    const run = install();
    const id = await untilNameless(run);
    const { exitCode, stderr } = await run;
    expect(exitCode, stderr).toBe(0);
    expect(await imagesOf(site)).toContain(`archives/first:1 ${id}`);
    expect(await nameless()).toEqual([]);
  });

  test("killed when it has the first image alone, the same command again takes it and finishes", async () => {
    const run = install();
    const id = await untilNameless(run);
    process.kill(-(run.pid as number), "SIGKILL");
    await run;
    expect(await nameless()).toContain(id);
    await expectInstalled();
    expect(await imagesOf(site)).toContain(`archives/first:1 ${id}`);
  });

  test("killed then, and the image removed by hand, it is loaded again", async () => {
    const run = install();
    const id = await untilNameless(run);
    process.kill(-(run.pid as number), "SIGKILL");
    await run;
    await site.docker(["image", "rm", id]);
    await expectInstalled();
  });

  test("a second image that is damaged leaves nothing of the first, and nothing that spoils it when it comes whole", async () => {
    const { stdout } = await execa("tar", ["-xOf", await tarOf(bundle), "drybag.json"]);
    const { images, layers } = JSON.parse(stdout) as {
      images: { tag: string; diffIds: string[] }[];
      layers: { diffId: string; digest: string }[];
    };
    const own = images.find(({ tag }) => tag.includes("second"))?.diffIds.at(-1);
    const digest = layers.find(({ diffId }) => diffId === own)?.digest.replace(":", "/");
    const copy = await damagedCopy(bundle, `blobs/${digest}`, path.join(gap.work, "damaged"));
    const run = install(copy);
    const seen = await untilNameless(run);
    const { exitCode, stdout: said } = await run;
    expect(exitCode).toBe(5);
    expect(JSON.parse(said)).toMatchObject({ error: { code: "digest-mismatch" } });
    expect(seen).toBeDefined();
    expect(await imagesOf(site)).toEqual([]);
    await rm(copy, { recursive: true });
    await expectInstalled();
  });
});

async function tarOf(folder: string): Promise<string> {
  const { stdout } = await execa("sh", ["-c", 'ls "$0"/*.tar', folder]);
  return stdout;
}
