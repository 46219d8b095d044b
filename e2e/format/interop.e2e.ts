import {
  appendFile,
  cp,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rm,
  stat,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { buildFixture } from "@drybag/fixtures";
import { type Engine, type Lab, labUp, readLabEnvironment, tool } from "@drybag/lab";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { drybagIn, expectImages, type Packed, packHello } from "../support/pack-hello.ts";
import { DRYBAG, FIXTURES } from "../support/paths.ts";
import type { ProgramRun } from "../support/run-programs.ts";

const environment = readLabEnvironment(process.env);

let lab: Lab;
let work: string;
let keys: { private: string; public: string };
/** Signed, in one file. */
let whole: Packed;

beforeAll(async () => {
  lab = await labUp({
    name: "interop",
    environment,
    site: { imageStore: "classic" },
    sites: [{ name: "modern", imageStore: "containerd" }],
  });
  work = await mkdtemp(path.join(tmpdir(), "drybag-interop-"));
  await buildFixture("hello", { engineEnv: lab.connected.env });
  keys = { private: path.join(work, "jane"), public: path.join(work, "jane.pub") };
  await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "jane", "-f", keys.private]);
  whole = await pack("whole", ["--sign", keys.private]);
});

afterAll(async () => {
  await rm(work, { recursive: true, force: true });
  await lab?.[Symbol.asyncDispose]();
});

const drybag: ReturnType<typeof drybagIn> = (...run) => drybagIn(lab, work)(...run);

const pack = (
  name: string,
  args?: readonly string[],
  settings?: { cwd?: string; env?: Record<string, string> },
) => packHello(lab, work, name, args, settings);

describe.each(["site", "modern"])("other programs read a bundle: the engine '%s'", (name) => {
  test("docker load takes the tar as it is", async () => {
    const site = lab.sites[name] as Engine;
    await site.docker(["load", "--input", whole.tar]);
    await expectImages(site, whole.manifest);
  });

  test("docker load takes its parts from cat", async () => {
    const site = lab.sites[name] as Engine;
    const parts = await pack(`parts-${name}`, ["--part-size", "1M"]);
    await site.docker(["image", "rm", "--force", ...whole.manifest.images.map((image) => image.tag)]);
    await site.exec(["sh", "-c", 'cat "$0"/*.tar.* | docker load', parts.directory]);
    await expectImages(site, whole.manifest);
  });
});

describe("other programs read a bundle", () => {
  test("skopeo inspects and copies it as an OCI archive and as a Docker archive", async () => {
    const skopeo = await tool("skopeo", { environment });
    for (const image of whole.manifest.images) {
      const source = `oci-archive:${whole.tar}:docker.io/${image.tag}`;
      const { stdout } = await execa(skopeo, ["inspect", "--raw", source]);
      expect(JSON.parse(stdout)).toMatchObject({ config: { digest: image.configDigest } });
      const copy = path.join(work, "copied");
      await execa(skopeo, ["copy", "--insecure-policy", source, `dir:${copy}`]);
      expect(JSON.parse(await readFile(path.join(copy, "manifest.json"), "utf8"))).toMatchObject({
        config: { digest: image.configDigest },
      });
      await execa(skopeo, ["inspect", `docker-archive:${whole.tar}:${image.tag}`]);
    }
  });

  test("sha256sum -c and ssh-keygen -Y verify agree", async () => {
    const { directory } = whole;
    await execa("sha256sum", ["--quiet", "--check", "SHA256SUMS"], { cwd: directory });
    const allowed = path.join(work, "allowed_signers");
    await writeFile(allowed, `jane@example.com namespaces="drybag" ${await readFile(keys.public, "utf8")}`);
    const manifest = await execa("tar", ["-xOf", whole.tar, "drybag.json"], {
      encoding: "buffer",
      stripFinalNewline: false,
    });
    const signature = path.join(work, "drybag.json.sig");
    await writeFile(signature, (await execa("tar", ["-xOf", whole.tar, "drybag.json.sig"])).stdout);
    for (const [file, message] of [
      [path.join(directory, "SHA256SUMS.sig"), await readFile(path.join(directory, "SHA256SUMS"))],
      [signature, Buffer.from(manifest.stdout)],
    ] as const) {
      const verify = ["-Y", "verify", "-f", allowed, "-I", "jane@example.com", "-n", "drybag", "-s", file];
      await execa("ssh-keygen", verify, { input: message });
    }
    expect((await drybag(["verify", directory, "--allowed-signers", allowed])).exitCode).toBe(0);
  });

  test("export gives plain layers to engines that know no zstd, and an OCI layout to skopeo", async () => {
    const site = lab.sites.site as Engine;
    const archive = path.join(work, "plain.tar");
    expect(await drybag(["export", whole.directory, "--docker-archive", archive])).toMatchObject({
      exitCode: 0,
    });
    await site.docker(["image", "rm", "--force", ...whole.manifest.images.map((image) => image.tag)]);
    await site.docker(["load", "--input", archive]);
    await expectImages(site, whole.manifest);
    const { stdout } = await execa("tar", ["-tf", archive]);
    expect(stdout).not.toMatch(/zst/);
    const layout = path.join(work, "layout");
    expect(await drybag(["export", whole.directory, "--oci", layout])).toMatchObject({ exitCode: 0 });
    const skopeo = await tool("skopeo", { environment });
    await execa(skopeo, ["inspect", `oci:${layout}:docker.io/${whole.manifest.images[0]?.tag}`]);
    await expect(stat(`${layout}.partial`)).rejects.toThrow();
  });
});

describe("the same stack gives the same bytes", () => {
  test("from another folder, with another umask, other times, another cache and another day", async () => {
    const copy = path.join(work, "elsewhere", "deep", "hello");
    await cp(path.join(FIXTURES, "hello"), copy, { recursive: true });
    for (const entry of await readdir(copy, { recursive: true, withFileTypes: true })) {
      if (entry.isFile()) await utimes(path.join(entry.parentPath, entry.name), 1, 86_400);
    }
    const output = path.join(work, "out-again");
    const command = 'umask 077; exec "$0" "$@"';
    const args = [
      DRYBAG,
      "pack",
      "-p",
      "hello",
      "--bundle-version",
      "1.0",
      "--sign",
      keys.private,
      "-o",
      output,
    ];
    await execa("sh", ["-c", command, process.execPath, ...args], {
      cwd: copy,
      env: {
        ...lab.connected.env,
        XDG_CACHE_HOME: path.join(work, "cache-2"),
        TZ: "Pacific/Kiritimati",
        LC_ALL: "C",
      },
    });
    const again = path.join(output, path.basename(whole.directory));
    await execa("cmp", [whole.tar, path.join(again, path.basename(whole.tar))]);
    await execa("diff", ["-r", whole.directory, again]);
  });

  test("as another user", async () => {
    const copy = path.join(work, "nobody");
    await cp(path.join(FIXTURES, "hello"), path.join(copy, "hello"), { recursive: true });
    await execa("chown", ["-R", "65534:65534", copy]);
    await execa("chmod", ["755", work]);
    const args = [DRYBAG, "pack", "--bundle-version", "1.0", "-o", path.join(copy, "out")];
    // The lab's sockets and plugins lie where only root may go: this user may too, and is another one all the same.
    const caps = "+dac_override,+dac_read_search";
    const user = [
      "--reuid=65534",
      "--regid=65534",
      "--clear-groups",
      `--inh-caps=${caps}`,
      `--ambient-caps=${caps}`,
    ];
    const run = await execa("setpriv", [...user, process.execPath, ...args], {
      cwd: path.join(copy, "hello"),
      env: { ...lab.connected.env, HOME: copy, XDG_CACHE_HOME: path.join(copy, "cache") },
      reject: false,
    });
    expect(run.exitCode, run.stderr).toBe(0);
    const plain = await pack("plain");
    await execa("cmp", [
      plain.tar,
      path.join(copy, "out", path.basename(plain.directory), path.basename(plain.tar)),
    ]);
  });
});

describe("other forms of a bundle", () => {
  test("split and joined again it is the same, to the byte", async () => {
    const sign = ["--sign", keys.private];
    const [split, joined] = [path.join(work, "split"), path.join(work, "joined")];
    expect(await drybag(["split", whole.directory, "-o", split, "--part-size", "1M", ...sign])).toMatchObject(
      { exitCode: 0 },
    );
    const parts = path.join(split, path.basename(whole.directory));
    expect((await readdir(parts)).filter((name) => /\.tar\.\d+$/.test(name)).length).toBeGreaterThan(1);
    expect(await drybag(["verify", parts])).toMatchObject({ exitCode: 0 });
    expect(await drybag(["join", parts, "-o", joined, ...sign])).toMatchObject({ exitCode: 0 });
    await execa("diff", ["-r", whole.directory, path.join(joined, path.basename(whole.directory))]);
  });

  test("a damaged bundle is not split, and nothing is left", async () => {
    const copy = path.join(work, "damaged");
    await cp(whole.directory, copy, { recursive: true });
    const tar = path.join(copy, path.basename(whole.tar));
    await using file = await open(tar, "r+");
    await file.write(Buffer.from([255]), 0, 1, (await file.stat()).size - 5000);
    const output = path.join(work, "split-damaged");
    const run = await drybag(["split", copy, "-o", output, "--part-size", "1M", "--sign", keys.private]);
    expect(run.exitCode).toBe(5);
    expect(await readdir(output)).toEqual([]);
  });
});

describe("the cache", () => {
  const stage = (run: ProgramRun) => {
    const { cachedLayers, layers } = JSON.parse(run.stdout) as { cachedLayers: number; layers: number };
    return { cachedLayers, layers };
  };
  const packWith = (cache: string, output: string, ...args: string[]) =>
    drybag(["pack", "--json", "--bundle-version", "1.0", "-o", path.join(work, output), ...args], {
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
      drybag(["cache", ...args, "--json"], { env: { XDG_CACHE_HOME: path.join(work, "twin") } });
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
});

describe("the medium", () => {
  test("is read past the page cache, or it is said that it cannot be", async () => {
    const onDisk = await pack("media", ["--verify-media"]);
    expect((await drybag(["verify", onDisk.directory, "--media", "--layers"])).exitCode).toBe(0);
  });
});

describe("inspect and diff", () => {
  test("show what is inside and what changes", async () => {
    const shown = await drybag(["inspect", whole.directory, "--files"]);
    for (const image of whole.manifest.images) expect(shown.stdout).toContain(image.tag);
    expect(shown.stdout).toContain("project/compose.yaml");
    expect(JSON.parse((await drybag(["inspect", whole.directory, "--json"])).stdout)).toMatchObject({
      id: whole.id,
      manifest: { name: "hello" },
    });
    const project = path.join(work, "changed", "hello");
    await mkdir(path.dirname(project), { recursive: true });
    await cp(path.join(FIXTURES, "hello"), project, { recursive: true });
    await appendFile(path.join(project, "content", "about.txt"), "changed\n");
    const changed = await pack("changed-out", ["--bundle-version", "2.0"], { cwd: project });
    const run = await drybag(["diff", whole.directory, changed.directory, "--json"]);
    expect(JSON.parse(run.stdout)).toMatchObject({
      same: false,
      files: { added: [], removed: [], changed: ["project/content/about.txt"] },
      images: { added: [], removed: [], changed: [] },
      newLayers: { count: 0, sizeBytes: 0 },
    });
    expect((await drybag(["diff", whole.directory, whole.directory])).stdout).toMatch(/are the same bundle/);
  });
});
