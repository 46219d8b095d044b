import { cp, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { buildFixture } from "@drybag/fixtures";
import type { Manifest } from "@drybag/format";
import { type Engine, type Lab, labUp, readLabEnvironment } from "@drybag/lab";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { plugInFatStick } from "./support/fat-stick.ts";
import { CORPUS, FIXTURES } from "./support/paths.ts";
import { httpGet, type ProgramRun, runDrybag, runInstallScript } from "./support/run-programs.ts";

/** The most that either program may hold, in bytes. */
const MEMORY_LIMIT_BYTES = 300 * 1024 * 1024;
const environment = readLabEnvironment(process.env);
const started = Date.now();

let lab: Lab;
let work: string;

beforeAll(async () => {
  lab = await labUp({
    name: "journey",
    environment,
    site: { imageStore: "classic" },
    sites: [{ name: "modern", imageStore: "containerd" }],
  });
  work = await mkdtemp(path.join(tmpdir(), "drybag-journey-"));
  for (const fixture of ["hello", "erp"] as const) {
    const { references } = await buildFixture(fixture, { engineEnv: lab.connected.env });
    // Published and removed, so that packing pulls them as it would from any registry.
    for (const reference of references) await lab.publish(reference);
    await lab.connected.docker(["image", "rm", ...references]);
  }
});

afterAll(async () => {
  await rm(work, { recursive: true, force: true });
  await lab?.[Symbol.asyncDispose]();
  console.log(`journeys took ${Math.round((Date.now() - started) / 1000)} s`);
});

describe.each([
  ["hello", "site", ["--set", "HELLO_GREETING=Good evening"], 8088, /Good evening/],
  ["hello", "modern", ["--set", "HELLO_GREETING=Good evening"], 8088, /Good evening/],
  ["erp", "modern", [], 8080, /erpnext/],
] as const)("%s, carried to the engine '%s'", (fixture, siteName, settings, port, page) => {
  let site: Engine;
  let carryFolder: string;
  let dir: string;
  let manifest: Manifest;

  beforeAll(() => {
    site = lab.sites[siteName] as Engine;
    dir = path.join(work, `opt-${fixture}-${siteName}`);
  });

  test("is packed from the project folder, pulling what is not there", async () => {
    const output = path.join(work, `out-${siteName}`);
    const run = await runDrybag(lab.connected, ["pack", "--json", "-o", output], {
      cwd: path.join(FIXTURES, fixture),
      env: { XDG_CACHE_HOME: path.join(work, "cache") },
    });
    expect(run).toMatchObject({ exitCode: 0 });
    carryFolder = (JSON.parse(run.stdout) as { directory: string }).directory;
    expectSmallMemory(`pack ${fixture}`, run);
    expect(await readdir(output)).toEqual(expect.arrayContaining([path.basename(carryFolder)]));
    await execa("sha256sum", ["--quiet", "--check", "SHA256SUMS"], { cwd: carryFolder });
  });

  test("is installed from a read-only, noexec FAT32 stick without a network, and healthy", async () => {
    await using stick = await plugInFatStick(carryFolder, environment);
    const folder = path.join(stick.directory, path.basename(carryFolder));
    const run = await runInstallScript(site, folder, ["--yes", "--json", "--dir", dir, ...settings], {
      cwd: "/",
    });
    expect(run).toMatchObject({ exitCode: 0 });
    expectSmallMemory(`install ${fixture}`, run);
  });

  test("runs as it should: every service in its state, every image the one of the manifest", async () => {
    const release = path.join(dir, fixture, "current");
    manifest = JSON.parse(await readFile(path.join(release, "drybag.json"), "utf8")) as Manifest;
    for (const image of manifest.images) {
      const { stdout } = await site.docker(["image", "inspect", "--format", "{{.Id}}", image.tag]);
      expect(stdout).toBe(site.imageStore === "classic" ? image.configDigest : image.manifestDigest);
    }
    const { stdout } = await site.docker(["compose", "-p", fixture, "ps", "-a", "--format", "json"]);
    const containers = String(stdout)
      .split("\n")
      .map(
        (line) => JSON.parse(line) as { Service: string; State: string; ExitCode: number; Health: string },
      );
    expect(containers.map((each) => each.Service).sort()).toEqual(
      manifest.services.map((each) => each.name).sort(),
    );
    for (const each of containers) {
      const done = each.State === "exited" && each.ExitCode === 0;
      const running = each.State === "running" && ["", "healthy"].includes(each.Health);
      expect(done || running, JSON.stringify(each)).toBe(true);
    }
    const { status, body } = await httpGet(site, `http://127.0.0.1:${port}/`);
    expect(status).toBe(200);
    expect(body).toMatch(page);
  });

  test("has no network to pull from", async () => {
    const pull = await site.docker(["pull", "redis:8.6-alpine"], { reject: false });
    expect(pull.exitCode).not.toBe(0);
  });

  test("stays offline and unchanged under a plain 'docker compose up'", async () => {
    const before = await containerIds(site, fixture);
    const up = await site.exec(["docker", "compose", "up", "--detach"], {
      cwd: path.join(dir, fixture, "current"),
      reject: false,
    });
    expect(up.exitCode, String(up.stderr)).toBe(0);
    expect(await containerIds(site, fixture)).toEqual(before);
  });

  test("installing again does no harm", async () => {
    const before = await containerIds(site, fixture);
    const run = await runInstallScript(site, carryFolder, ["--yes", "--dir", dir], { cwd: "/" });
    expect(run).toMatchObject({ exitCode: 0 });
    expect(await containerIds(site, fixture)).toEqual(before);
  });
});

describe("by hand, as README.txt says", () => {
  test("sha256sum, docker load and docker compose are enough", async () => {
    const site = await lab.addSite("hand", { imageStore: "classic" });
    const output = path.join(work, "out-hand");
    const run = await runDrybag(lab.connected, ["pack", "--json", "-o", output, "--part-size", "1M"], {
      cwd: path.join(FIXTURES, "hello"),
      env: { XDG_CACHE_HOME: path.join(work, "cache") },
    });
    const { directory } = JSON.parse(run.stdout) as { directory: string };
    const readme = await readFile(path.join(directory, "README.txt"), "utf8");
    const commands = commandsUnder(readme, "Install by hand")
      .replaceAll("/opt/hello", path.join(work, "by-hand"))
      .replace("HELLO_GREETING=...", "HELLO_GREETING='By hand'");
    await site.exec(["sh", "-euc", commands], { cwd: directory });
    await expect.poll(async () => (await httpGet(site, "http://127.0.0.1:8088/")).body).toMatch(/By hand/);
  });
});

describe.skipIf((await readdir(CORPUS).catch(() => [])).length === 0)("frappe_docker's own files", () => {
  const cases = [
    {
      title: "compose.yaml with its overrides",
      name: "frappe",
      port: 8089,
      flags: [
        ...["compose.yaml", "overrides/compose.mariadb.yaml", "overrides/compose.redis.yaml"].flatMap(
          fileFlag,
        ),
        ...fileFlag("overrides/compose.noproxy.yaml"),
        ...["--env-file", "example.env"],
      ],
      settings: ["--set", "HTTP_PUBLISH_PORT=8089"],
      images: ["frappe/erpnext:v16.32.3", "mariadb:11.8", "redis:8.6-alpine"],
    },
    {
      title: "pwd.yml",
      name: "pwd",
      port: 8080,
      flags: fileFlag("pwd.yml"),
      settings: [],
      images: ["frappe/erpnext:v16.32.3", "mariadb:11.8", "redis:6.2-alpine"],
    },
  ];

  test.each(cases)(
    "$title is packed and installed unchanged",
    async ({ name, port, flags, settings, images }) => {
      const project = path.join(work, `corpus-${name}`);
      await cp(path.join(CORPUS, "frappe_docker"), project, { recursive: true });
      const output = path.join(work, `out-${name}`);
      const pack = await runDrybag(lab.connected, ["pack", "--json", ...flags, "-p", name, "-o", output], {
        cwd: project,
        env: { XDG_CACHE_HOME: path.join(work, "cache") },
      });
      expect(pack).toMatchObject({ exitCode: 0 });
      const packed = JSON.parse(pack.stdout) as { directory: string; images: { tag: string }[] };
      expect(packed.images.map((image) => image.tag)).toEqual(images);

      const dir = path.join(work, `opt-${name}`);
      const install = await runInstallScript(
        lab.site,
        packed.directory,
        ["--yes", "--dir", dir, ...settings],
        {
          cwd: "/",
        },
      );
      expect(install).toMatchObject({ exitCode: 0 });
      const current = path.join(dir, name, "current");
      if (name === "frappe") {
        // As frappe_docker's guide has it: this shape comes up without a site, and somebody makes one.
        const newSite = ["new-site", "--db-root-password", "123", "--admin-password", "admin", "127.0.0.1"];
        await lab.site.exec(
          ["docker", "compose", "exec", "-T", "backend", "bench", ...newSite, "--install-app", "erpnext"],
          { cwd: current },
        );
      }
      const { status, body } = await httpGet(lab.site, `http://127.0.0.1:${port}/`);
      expect(status, body).toBe(200);
      await lab.site.exec(["docker", "compose", "down", "--volumes"], { cwd: current });
    },
  );
});

function fileFlag(file: string): string[] {
  return ["-f", file];
}

function expectSmallMemory(what: string, run: ProgramRun): void {
  const shown = [...run.peakBytes].map(([name, bytes]) => `${name} ${Math.round(bytes / 1024 ** 2)} MiB`);
  console.log(`peak resident memory, ${what}: ${shown.join(", ")}`);
  const ours = [...run.peakBytes].filter(([name]) => /node|drybag|MainThread/.test(name));
  expect(ours).not.toEqual([]);
  for (const [, bytes] of ours) expect(bytes).toBeLessThan(MEMORY_LIMIT_BYTES);
}

async function containerIds(site: Engine, project: string): Promise<string[]> {
  const { stdout } = await site.docker([
    "ps",
    "-aq",
    "--filter",
    `label=com.docker.compose.project=${project}`,
  ]);
  return String(stdout).split("\n").sort();
}

/** The indented lines below a heading, as a script. */
function commandsUnder(text: string, heading: string): string {
  const section = text.slice(text.indexOf(`${heading}\n===`)).split(/\n(?=\S[^\n]*\n=+\n)/)[0] ?? "";
  return section
    .split("\n")
    .filter((line) => line.startsWith("    "))
    .join("\n");
}
