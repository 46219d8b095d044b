import { readdir, readFile, readlink } from "node:fs/promises";
import path from "node:path";
import type { Engine } from "@drybag/lab";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Gap } from "./support/gap.ts";
import { imagesOf, interrupt, startInstaller, untilServices } from "./support/installer.ts";

/** Enough for the other services to be as they should on a busy machine, in seconds. */
const LIMIT_S = "20";

let gap: Gap;
let site: Engine;
let dir: string;
let first: string;

/** Services whose behaviour is a setting, so that one bundle serves every case. */
const COMPOSE = `
x-quick: &quick
  image: inst/probe:1
  stop_grace_period: 0s

services:
  probe:
    <<: *quick
    entrypoint: ["sh", "-c", "\${PROBE:-sleep 1000000}"]
    restart: \${RESTART:-unless-stopped}
    healthcheck: { test: [CMD-SHELL, "\${CHECK:-true}"], interval: 1s, retries: 1 }
  job:
    <<: *quick
    entrypoint: ["sh", "-c", "\${JOB:-sleep 1000000}"]
    healthcheck: { test: [CMD, "true"], interval: 1s }
  plain:
    <<: *quick
    entrypoint: ["sleep", "1000000"]
    ports: ["\${PORT:-18080}:80"]
    volumes: ["./kept:/kept"]
`;

beforeAll(async () => {
  gap = await Gap.open("insthealth");
  ({ site, dir } = gap);
  first = await packVersion("1");
});

afterAll(() => gap?.[Symbol.asyncDispose]());

/** Every version has another image under the same tag. */
async function packVersion(version: string): Promise<string> {
  await gap.buildVersion("inst/probe:1", version);
  return gap.pack("stack", version, { "compose.yaml": COMPOSE, "kept/": "" });
}

const DEFAULTS = {
  PROBE: "sleep 1000000",
  RESTART: "unless-stopped",
  CHECK: "true",
  JOB: "sleep 1000000",
  PORT: "18080",
};

async function install(
  settings: Partial<typeof DEFAULTS> = {},
  { folder = first, args = [] as string[], env = {} } = {},
) {
  const set = Object.entries({ ...DEFAULTS, ...settings }).flatMap(([name, value]) => [
    "--set",
    `${name}=${value}`,
  ]);
  interface Installed {
    services?: { name: string; state: string }[];
    findings?: { code: string; message: string }[];
  }
  return gap.drybagSite<Installed>(["install", folder, "--yes", ...set, ...args], { env });
}

async function status() {
  interface Statuses {
    stacks: { release: string; healthy: boolean }[];
  }
  const { exitCode, stacks } = await gap.drybagSite<Statuses>(["status"]);
  return { exitCode, ...stacks[0] };
}

describe("health is what the containers show", () => {
  test("a first install that fails leaves its containers to be looked at", async () => {
    const { exitCode, error } = await install({ PROBE: "exit 3" });
    expect(exitCode).toBe(7);
    expect(error?.hint).toContain("docker compose -p stack down");
    expect(await readdir(path.join(dir, "stack"))).not.toContain("current");
    const [release = ""] = await readdir(path.join(dir, "stack", "releases"));
    const page = await readFile(path.join(dir, "stack", "releases", release, "report.txt"), "utf8");
    expect(page).toMatch(/^outcome +failed: Not healthy: probe/m);
  });

  test("Ctrl-C while the stack starts stops at once, and says what runs", async () => {
    const run = startInstaller(site, [
      "install",
      first,
      "--json",
      "--yes",
      "--dir",
      dir,
      "--set",
      "RESTART=no",
    ]);
    await untilServices(run);
    expect(await interrupt(run)).toBeLessThan(20_000);
    expect(JSON.parse((await run).stdout)).toMatchObject({
      error: { detail: expect.stringContaining("some of its containers may run") },
    });
  });

  test("a stack with and without healthchecks comes up", async () => {
    const { exitCode, services, error } = await install();
    expect(exitCode, JSON.stringify(error)).toBe(0);
    expect(services?.map(({ name, state }) => `${name} ${state}`)).toEqual([
      "job healthy",
      "plain running",
      "probe healthy",
    ]);
    expect(await status()).toMatchObject({ exitCode: 0, healthy: true });
  });

  test.each([
    ["a crash loop", { PROBE: "echo boom >&2; exit 3" }, /probe: crash loop.*\| boom/s],
    ["a healthcheck that fails", { CHECK: "echo no database; false" }, /probe: unhealthy \(no database\)/],
    ["a one-shot that fails", { RESTART: "no", PROBE: "echo sorry; exit 4" }, /probe: exited 4.*\| sorry/s],
    ["a service that only fails", { JOB: "echo gone; exit 5" }, /job: exited 5.*\| gone/s],
    ["a program that is not there", { PROBE: "exec /missing" }, /likely: a file or program/],
  ])("%s is not healthy, with its last words", async (_, settings, said) => {
    const { exitCode, error } = await install(settings);
    expect(exitCode).toBe(7);
    expect(error).toMatchObject({ code: "unhealthy", detail: expect.stringMatching(said) });
    expect(error?.hint).toContain("stays the current one");
    expect((await status()).exitCode).toBe(7);
  });

  test("a one-shot that never ends is not healthy when its time is over", async () => {
    const { exitCode, error } = await install({ RESTART: "no" }, { args: ["--timeout", LIMIT_S] });
    expect(exitCode).toBe(7);
    expect(error?.message).toBe(`Not healthy after ${LIMIT_S} s: probe.`);
  });

  test("a healthcheck that never ends is not healthy when its time is over", async () => {
    const { exitCode, error } = await install({ CHECK: "sleep 1000" }, { args: ["--timeout", LIMIT_S] });
    expect(exitCode).toBe(7);
    expect(error).toMatchObject({
      message: `Not healthy after ${LIMIT_S} s: probe.`,
      detail: expect.stringMatching(/^probe: starting/),
      hint: expect.stringContaining("stays the current one"),
    });
  });

  test("a one-shot that ends well is as it should be", async () => {
    const { exitCode, services, findings } = await install({ RESTART: "no", PROBE: "exit 0" });
    expect(exitCode).toBe(0);
    expect(services).toContainEqual(expect.objectContaining({ name: "probe", state: "exited 0" }));
    expect(findings).toEqual([]);
  });

  test("a service that ends well without being one is told, not guessed", async () => {
    const { exitCode, findings } = await install({ JOB: "exit 0" });
    expect(exitCode).toBe(0);
    expect(findings).toMatchObject([{ code: "service-ended", message: expect.stringMatching(/^job has/) }]);
  });

  test("the right settings again bring it back", async () => {
    expect((await install()).exitCode).toBe(0);
    expect(await status()).toMatchObject({ exitCode: 0, healthy: true });
  });
});

describe("a newer release", () => {
  test("that never gets healthy gives way to the one before, which runs again with its own images", async () => {
    const second = await packVersion("2");
    await site.docker(["exec", "stack-plain-1", "sh", "-c", "echo precious >/kept/data"]);
    const before = await imagesOf(site);
    const current = await readlink(path.join(dir, "stack", "current"));
    const { exitCode, error } = await install({ PROBE: "exit 1" }, { folder: second });
    expect(exitCode).toBe(7);
    expect(error?.hint).toMatch(/^Release 1-[0-9a-f]{8} was started again/);
    expect(await readlink(path.join(dir, "stack", "current"))).toBe(current);
    const after = await imagesOf(site);
    expect(after.filter((line) => line.startsWith("inst/probe:1"))).toEqual(before);
    const { stdout } = await site.docker(["exec", "stack-plain-1", "cat", "/version"]);
    expect(stdout).toBe("1");
  });

  test("that is healthy becomes the current one", async () => {
    const second = path.join(gap.work, "stack-out", "stack-2");
    const { exitCode, error } = await install({}, { folder: second });
    expect(exitCode, JSON.stringify(error)).toBe(0);
    expect((await status()).release).toMatch(/^2-/);
    const { stdout } = await site.docker(["exec", "stack-plain-1", "cat", "/version"]);
    expect(stdout).toBe("2");
    expect(await readdir(path.join(dir, "stack", "releases"))).toHaveLength(2);
    const kept = await site.docker(["exec", "stack-plain-1", "cat", "/kept/data"]);
    expect(kept.stdout).toBe("precious");
  });
});

describe("before anything is changed", () => {
  test("everything in the way is told at once, and the server is as it was", async () => {
    await site.docker([
      ...["create", "--label", "com.docker.compose.project=another"],
      ...["--label", "com.docker.compose.oneoff=False", "--name", "squatter", "inst/probe:1", "sh"],
    ]);
    const { exitCode, error } = await install({}, { args: ["--name", "another"] });
    expect(exitCode).toBe(6);
    expect(error?.code).toBe("preflight-failed");
    expect(error?.detail).toContain("A Compose project named another is here already");
    expect(error?.detail).toContain("taken by the container stack-plain-1");
    expect(await readdir(dir)).toEqual(["stack"]);
  });

  test("a port that another program holds is found", async () => {
    const holder = site.exec(
      [
        process.execPath,
        "-e",
        "require('node:net').createServer().listen(18081, '0.0.0.0', () => console.log('listens'))",
      ],
      { reject: false },
    );
    await new Promise((resolve) => holder.stdout?.once("data", resolve));
    const { exitCode, error } = await install({ PORT: "18081" });
    holder.kill();
    expect(exitCode).toBe(6);
    expect(error?.message).toContain("Port 18081/tcp, which plain publishes, is taken by another program.");
    expect(await status()).toMatchObject({ exitCode: 0, healthy: true });
  });

  test("a setting that Compose cannot take is named", async () => {
    const { exitCode, error } = await install({ PORT: "eighty" });
    expect(exitCode).toBe(3);
    expect(error?.code).toBe("project-invalid");
    expect(error?.hint).toMatch(/settings does not fit: .*PORT.*--set/);
    expect(await status()).toMatchObject({ exitCode: 0, healthy: true });
  });

  test.each([
    ["no docker command", { env: { PATH: "/nonexistent" } }, 4, "docker-missing"],
    ["no Compose", { env: { DOCKER_CONFIG: "/nonexistent" } }, 4, "compose-missing"],
    ["no engine", { env: { DOCKER_HOST: "unix:///nonexistent.sock" } }, 4, "engine-unreachable"],
    ["a folder that cannot be written", { args: ["--dir", "/etc/hostname/x"] }, 6, "not-writable"],
    ["no bundle", { folder: "/etc" }, 5, "bundle-not-found"],
    ["an unknown setting", { args: ["--set", "PROBES=1"] }, 3, "setting-invalid"],
    ["an unknown option", { args: ["--colour"] }, 2, "usage"],
    ["nobody to ask", { args: ["--no-yes"] }, 2, "usage"],
  ])("%s: one clear line, a remedy, its exit code", async (_, surroundings, exitCode, code) => {
    const run = await install({}, surroundings);
    expect(run.exitCode).toBe(exitCode);
    expect(run.error?.code).toBe(code);
    expect(run.error?.hint).toBeTruthy();
    expect(run.stderr).not.toMatch(/^\s+at /m);
  });
});
