import {
  chmod,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  rename,
  rm,
  statfs,
  truncate,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { gzipSync, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { buildFixture } from "@drybag/fixtures";
import { LAYER_MEDIA_TYPES } from "@drybag/format";
import { type Engine, type Lab, labUp, readLabEnvironment } from "@drybag/lab";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { plugInEmptyStick, plugInFatStick } from "./support/fat-stick.ts";
import { forgeFile, forgeLayer } from "./support/forge-bundle.ts";
import {
  holdingLoads,
  imagesOf,
  letGo,
  packProject,
  startInstaller,
  untilLoadHeld,
} from "./support/installer.ts";

const MIB = 1024 ** 2;
const DATA_ROOT_MIB = 512;
const BIG_LAYER_MIB = 64;
/** With the twentieth that ext4 keeps for root, enough for the archive and too little for what it becomes. */
const LEFT_MIB = BIG_LAYER_MIB - 8;
/** Long enough for FAT to keep the case of the name, which fusefat does not do for short ones. */
const VERSION = "20260101";
const environment = readLabEnvironment(process.env);

const COMPOSE = `
services:
  app:
    image: refuse/app:1
    entrypoint: ["sleep", "1000000"]
    stop_grace_period: 0s
    healthcheck: { test: [CMD, "true"], interval: 1s }
`;

let lab: Lab;
let work: string;
let whole: string;
let inParts: string;
let foreign: string;

beforeAll(async () => {
  const dataRootSizeBytes = DATA_ROOT_MIB * MIB;
  lab = await labUp({
    name: "instrefuse",
    environment,
    site: { imageStore: "classic", dataRootSizeBytes },
    sites: [
      { name: "modern", imageStore: "containerd", dataRootSizeBytes },
      { name: "old", engine: "20" },
    ],
  });
  work = await mkdtemp(path.join(tmpdir(), "drybag-instrefuse-"));
  await chmod(work, 0o755);
  await buildFixture("hello", { engineEnv: lab.connected.env });
  await build(
    "refuse/app:1",
    `FROM drybag/hello-task:1.0.0\nRUN dd if=/dev/urandom of=/big bs=1M count=${BIG_LAYER_MIB}\n`,
  );
  await build("refuse/arm:1", "FROM scratch\nCOPY <<EOF /x\nx\nEOF\n", ["--platform", "linux/arm64"]);
  const pack = (name: string, compose: string, args: string[] = []) =>
    packProject(lab.connected, path.join(work, name), { "compose.yaml": compose }, [
      ...["--bundle-version", VERSION],
      ...args,
    ]);
  whole = await pack("app", COMPOSE);
  inParts = await pack("parted", COMPOSE, ["--part-size", "20M"]);
  foreign = await pack("arm", COMPOSE.replace("refuse/app:1", "refuse/arm:1"), ["--platform", "linux/arm64"]);
});

afterAll(async () => {
  await rm(work, { recursive: true, force: true });
  await lab?.[Symbol.asyncDispose]();
});

async function build(tag: string, dockerfile: string, args: readonly string[] = []): Promise<void> {
  await lab.connected.docker(["build", "--quiet", ...args, "--tag", tag, "-"], { input: dockerfile });
}

const dirOf = (site: Engine) => path.join(work, `opt-${site.name}`);

function start(
  site: Engine,
  folder: string,
  { env, user }: { env?: Record<string, string>; user?: readonly string[] } = {},
) {
  return startInstaller(site, ["install", folder, "--yes", "--dir", dirOf(site)], env, user);
}

/** Runs an install that must be refused, as a person sees it: what it says, after seeing that the server is as it was. */
async function refused(
  site: Engine,
  run: ReturnType<typeof start>,
  expected: { exitCode: number; before: string[] },
): Promise<string> {
  const { exitCode, stdout, stderr } = await run;
  expect(exitCode, stderr).toBe(expected.exitCode);
  expect(stdout).toBe("");
  expect(stderr).not.toMatch(/^\s+at /m);
  expect(stderr.match(/^error: /gm)).toHaveLength(1);
  expect(await imagesOf(site)).toEqual(expected.before);
  expect((await site.docker(["ps", "--all", "--quiet"])).stdout).toBe("");
  expect(await readdir(path.join(dirOf(site), "app", "releases")).catch(() => [])).toEqual([]);
  return stderr.slice(stderr.indexOf("error: "));
}

/** Fills an engine's disk so that so much is left. Disposing of it makes room again. */
async function leaveFree(site: Engine, freeMib: number): Promise<AsyncDisposable> {
  const { bavail, bsize } = await statfs(site.dataRoot);
  const file = path.join(site.dataRoot, "filler");
  await execa("fallocate", ["-l", String(bavail * bsize - freeMib * MIB), file]);
  return { [Symbol.asyncDispose]: () => rm(file) };
}

describe.each(["site", "modern"] as const)("a disk that is too small, on the engine '%s'", (name) => {
  test("is seen before anything is changed", async () => {
    const site = lab.sites[name] as Engine;
    await using _ = await leaveFree(site, LEFT_MIB);
    const said = await refused(site, start(site, whole), { exitCode: 6, before: await imagesOf(site) });
    expect(said).toMatch(
      /^error: The images need .* free in .*; there are .* \[disk-full\]\n→ Make .* more room/,
    );
    expect(await readdir(dirOf(site)).catch(() => [])).toEqual([]);
  });

  test("and one that fills up during the load, leave the images as they were; with room it goes on", async () => {
    const site = lab.sites[name] as Engine;
    const before = await imagesOf(site);
    const run = start(site, whole, { env: holdingLoads(site) });
    const client = await untilLoadHeld(run);
    {
      await using _ = await leaveFree(site, LEFT_MIB);
      letGo(client);
      const said = await refused(site, run, { exitCode: 6, before });
      expect(said).toMatch(/^error: The disk filled up while the engine took the images\. \[disk-full\]/);
    }
    const { exitCode, stderr } = await start(site, whole);
    expect(exitCode, stderr).toBe(0);
    await site.docker(["rm", "--force", "app-app-1"]);
    await site.docker(["rmi", "--force", "refuse/app:1"]);
    await rm(dirOf(site), { recursive: true });
  });
});

describe("what does not fit the server", () => {
  test("a bundle for another architecture", async () => {
    const { site } = lab;
    const said = await refused(site, start(site, foreign), { exitCode: 6, before: await imagesOf(site) });
    expect(said).toMatch(
      /^error: The engine here runs linux\/amd64; this bundle is for linux\/arm64\. \[.*\]\n→ Pack it again/,
    );
  });

  test("a folder of stacks on a stick, or where no files can be", async () => {
    await using stick = await plugInEmptyStick(readLabEnvironment(process.env));
    const before = await imagesOf(lab.site);
    const places = { [stick.directory]: /has no links/, "/proc": /\/proc shows the kernel/ };
    for (const [place, said] of Object.entries(places)) {
      const run = startInstaller(lab.site, ["install", whole, "--yes", "--dir", path.join(place, "opt")]);
      expect(await refused(lab.site, run, { exitCode: 6, before })).toMatch(said);
    }
  });

  test("Compose that is too old", async () => {
    const { site } = lab;
    const config = path.join(work, "old-compose");
    await mkdir(path.join(config, "cli-plugins"), { recursive: true });
    const plugin = path.join(config, "cli-plugins", "docker-compose");
    const metadata = '{"SchemaVersion":"0.1.0","Vendor":"Docker Inc.","Version":"v2.10.0"}';
    const script = `#!/bin/sh\ncase "$*" in *metadata*) echo '${metadata}';; *) echo 2.10.0;; esac\n`;
    await writeFile(plugin, script, { mode: 0o755 });
    const run = startInstaller(site, ["install", whole, "--yes", "--dir", dirOf(site)], {
      DOCKER_CONFIG: config,
    });
    const said = await refused(site, run, { exitCode: 4, before: await imagesOf(site) });
    expect(said).toMatch(
      /^error: Docker Compose here is 2\.10\.0; this bundle needs .* or newer\. \[compose-too-old\]\n→ /,
    );
  });

  test("a container name that another container has", async () => {
    const { site } = lab;
    const named = await packProject(
      lab.connected,
      path.join(work, "named"),
      { "compose.yaml": COMPOSE.replace("app:\n", "app:\n    container_name: erp-web\n") },
      ["--bundle-version", VERSION],
    );
    await execa("tar", ["-cf", "-", "-T", "/dev/null"]).pipe(site.docker(["import", "-", "other:1"]));
    await site.docker(["create", "--name", "erp-web", "other:1", "sh"]);
    const before = await imagesOf(site);
    const { exitCode, stderr } = await start(site, named);
    expect(exitCode, stderr).toBe(6);
    expect(stderr).toMatch(
      /error: The container of app is to be named erp-web, and another container has that name\. \[.*\]\n→ Remove or rename it/,
    );
    expect(await imagesOf(site)).toEqual(before);
    expect((await site.docker(["ps", "--all", "--format", "{{.Names}}"])).stdout).toBe("erp-web");
    await site.docker(["rm", "erp-web"]);
    await site.docker(["rmi", "other:1"]);
  });

  test("a user who may neither use Docker nor write", async () => {
    const { site } = lab;
    const nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    const said = await refused(site, start(site, whole, { user: nobody }), {
      exitCode: 6,
      before: await imagesOf(site),
    });
    expect(said).toMatch(/^error: \d things are in the way; nothing was changed\. \[preflight-failed\]/);
    expect(said).toMatch(/Nothing can be written to .*\n.*root/);
    expect(said).toMatch(/You may not use the Docker Engine at .*\n.*root/);
  });
});

describe.each(["site", "modern"] as const)(
  "a layer that becomes more than it says, on the engine '%s'",
  (name) => {
    const bombBytes = 64 * MIB;
    test.each<[string, string, (packed: Buffer) => { blob: Buffer; mediaType: string }]>([
      [
        "in a later member of gzip",
        "layer-bomb",
        (packed) => ({
          blob: Buffer.concat([gzipSync(zstdDecompressSync(packed)), gzipSync(Buffer.alloc(bombBytes))]),
          mediaType: LAYER_MEDIA_TYPES.gzip,
        }),
      ],
      [
        "in a later frame of zstd",
        "layer-bomb",
        (packed) => ({
          blob: Buffer.concat([packed, zstdCompressSync(Buffer.alloc(bombBytes))]),
          mediaType: LAYER_MEDIA_TYPES.zstd,
        }),
      ],
      [
        "as gzip that is called zstd",
        "layer-refused",
        (packed) => ({ blob: gzipSync(zstdDecompressSync(packed)), mediaType: LAYER_MEDIA_TYPES.zstd }),
      ],
    ])("%s: %s", async (how, code, forge) => {
      const site = lab.sites[name] as Engine;
      const forged = path.join(work, `${name}-${how}`);
      await forgeLayer(whole, forged, forge);
      const said = await refused(site, start(site, forged), { exitCode: 5, before: await imagesOf(site) });
      expect(said).toMatch(new RegExp(`^error: .* \\[${code}\\]\n→ .*do not use it`));
    });
  },
);

test("a compose.offline.yaml that lets a service run something else is refused before anything is loaded", async () => {
  const { site } = lab;
  const forged = path.join(work, "other-compose");
  const content = "services: {app: {image: 'somebody/else:1', pull_policy: missing}}\n";
  await forgeFile(whole, forged, "compose.offline.yaml", content);
  const said = await refused(site, start(site, forged), { exitCode: 5, before: await imagesOf(site) });
  expect(said).toMatch(
    /^error: app is not bound to .*pull_policy is missing; its image is somebody\/else:1, not refuse\/app:1\. \[bundle-not-offline\]\n→ .*do not use it/,
  );
});

test("Docker Engine 20.10 gets its layers decompressed, and the same images", async () => {
  const site = lab.sites.old as Engine;
  expect(site.version).toMatch(/^20\.10\./);
  const { exitCode, stderr } = await start(site, whole);
  expect(exitCode, stderr).toBe(0);
  const again = await startInstaller(site, ["install", whole, "--yes", "--json", "--dir", dirOf(site)]);
  expect(again.exitCode, again.stderr).toBe(0);
  const report = JSON.parse(again.stdout) as { started: boolean; images: { id: string; loaded: boolean }[] };
  const { stdout: id } = await site.docker(["image", "inspect", "--format", "{{.Id}}", "refuse/app:1"]);
  expect(report).toMatchObject({ started: false, images: [{ id, loaded: false }] });
  const { stdout } = await site.docker(["exec", "app-app-1", "wc", "-c", "/big"]);
  expect(stdout).toBe(`${BIG_LAYER_MIB * MIB} /big`);
});

describe("a stick", () => {
  test("with a part missing", async () => {
    const { site } = lab;
    const part = path.join(inParts, "parted-20260101.tar.002");
    await rename(part, `${part}.away`);
    const said = await refused(site, start(site, inParts), { exitCode: 5, before: await imagesOf(site) });
    await rename(`${part}.away`, part);
    expect(said).toMatch(
      /^error: parted-20260101\.tar\.002 is missing in .* \[bundle-part-missing\]\n→ Copy it/,
    );
  });

  test("with a file that may not be read", async () => {
    const { site } = lab;
    const part = path.join(inParts, "parted-20260101.tar.002");
    await chmod(part, 0);
    // Root reads everything otherwise.
    const obedient = ["--bounding-set", "--inh-caps"].map((set) => `${set}=-dac_override,-dac_read_search`);
    const said = await refused(site, start(site, inParts, { user: ["setpriv", ...obedient] }), {
      exitCode: 5,
      before: await imagesOf(site),
    });
    await chmod(part, 0o644);
    expect(said).toMatch(
      /^error: .*\.002 may not be read by this user\. \[bundle-unreadable\]\n→ Run .* as root/,
    );
  });

  test("whose file is cut while it is read", async () => {
    const { site } = lab;
    const copy = path.join(work, "cut");
    await cp(whole, copy, { recursive: true });
    const before = await imagesOf(site);
    const run = start(site, copy, { env: holdingLoads(site) });
    const client = await untilLoadHeld(run);
    await truncate(path.join(copy, `app-${VERSION}.tar`), 40 * MIB);
    letGo(client);
    const said = await refused(site, run, { exitCode: 5, before });
    expect(said).toMatch(
      /^error: .*app-20260101\.tar changed while it was being read\. \[bundle-unreadable\]\n→ /,
    );
  });

  test("that is pulled in the middle", async () => {
    const { site } = lab;
    await using stick = await plugInFatStick(whole, environment);
    const before = await imagesOf(site);
    const folder = path.join(stick.directory, path.basename(whole));
    const run = start(site, folder, { env: holdingLoads(site) });
    const client = await untilLoadHeld(run);
    await stick.pull();
    letGo(client);
    const said = await refused(site, run, { exitCode: 5, before });
    expect(said).toMatch(
      /^error: The drive could not read .*app-20260101\.tar\. \[bundle-unreadable\]\n→ Was the stick/,
    );
  });
});
