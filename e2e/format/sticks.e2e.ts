import { mkdir, mkdtemp, readdir, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { buildFixture } from "@drybag/fixtures";
import { type Lab, labUp, readLabEnvironment, tool } from "@drybag/lab";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FIXTURES } from "../support/paths.ts";
import { runDrybag } from "../support/run-programs.ts";

const MIB = 1024 ** 2;
const environment = readLabEnvironment(process.env);
let lab: Lab;
let work: string;

beforeAll(async () => {
  lab = await labUp({ name: "sticks", environment });
  work = await mkdtemp(path.join(tmpdir(), "drybag-sticks-"));
  await buildFixture("hello", { engineEnv: lab.connected.env });
});

afterAll(async () => {
  await rm(work, { recursive: true, force: true });
  await lab?.[Symbol.asyncDispose]();
});

/** A file system of its own in a file, mounted for writing. Disposing of it pulls it out. */
async function plugIn(kind: "exfat" | "ext4", sizeBytes: number) {
  const folder = await mkdtemp(path.join(work, `${kind}-`));
  const [image, directory] = [path.join(folder, "image"), path.join(folder, "usb")];
  await writeFile(image, "");
  await truncate(image, sizeBytes);
  await mkdir(directory);
  const format = kind === "exfat" ? ["mkfs.exfat"] : ["mkfs.ext4", "-q", "-m", "0"];
  await execa(await tool(format[0] as string, { environment }), [...format.slice(1), image]);
  const { stdout: device } = await execa("losetup", ["--find", "--show", image]);
  if (kind === "exfat") await execa(await tool("mount.exfat-fuse", { environment }), [device, directory]);
  else await execa("mount", [device, directory]);
  return {
    directory,
    [Symbol.asyncDispose]: async () => {
      await execa("umount", [directory], { reject: false });
      await execa("losetup", ["--detach", device], { reject: false });
    },
  };
}

const pack = (output: string, ...args: string[]) =>
  runDrybag(lab.connected, ["pack", "--json", "--bundle-version", "1.0", "-o", output, ...args], {
    cwd: path.join(FIXTURES, "hello"),
    env: { XDG_CACHE_HOME: path.join(work, "cache") },
  });

describe("straight onto the stick", () => {
  test.each(["exfat", "ext4"] as const)(
    "%s takes the bundle, and it is read back from the medium or said why not",
    async (kind) => {
      await using stick = await plugIn(kind, 160 * MIB);
      const run = await pack(stick.directory);
      expect(run).toMatchObject({ exitCode: 0 });
      const { directory } = JSON.parse(run.stdout) as { directory: string };
      await execa("sha256sum", ["--quiet", "--check", "SHA256SUMS"], { cwd: directory });
      const media = await pack(stick.directory, "--verify-media", "--force");
      // FUSE may not be able to; then nothing is claimed and nothing is left.
      if (media.exitCode !== 0) {
        expect(JSON.parse(media.stdout)).toMatchObject({ error: { code: "media-unreadable" } });
        expect(kind).toBe("exfat");
      }
      expect((await readdir(stick.directory)).filter((name) => name.includes("partial"))).toEqual([]);
    },
  );

  test("a stick that is too small is refused, and stays empty", async () => {
    await using stick = await plugIn("ext4", 24 * MIB);
    const run = await pack(stick.directory);
    expect(run.exitCode).toBe(6);
    expect(JSON.parse(run.stdout)).toMatchObject({ error: { code: "disk-full" } });
    expect((await readdir(stick.directory)).filter((name) => name !== "lost+found")).toEqual([]);
  });
});
