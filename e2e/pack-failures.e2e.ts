import { chmod, cp, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { buildFixture } from "@drybag/fixtures";
import { type Lab, labUp, readLabEnvironment } from "@drybag/lab";
import { execa } from "execa";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { FIXTURES } from "./support/paths.ts";
import { type RunSettings, runDrybag } from "./support/run-programs.ts";

let lab: Lab;
let work: string;
let project: string;
let settings: RunSettings;

beforeAll(async () => {
  lab = await labUp({ name: "packfail", environment: readLabEnvironment(process.env) });
  await buildFixture("hello", { engineEnv: lab.connected.env });
});
afterAll(() => lab?.[Symbol.asyncDispose]());

beforeEach(async () => {
  work = await mkdtemp(path.join(tmpdir(), "drybag-packfail-"));
  project = path.join(work, "hello");
  await cp(path.join(FIXTURES, "hello"), project, { recursive: true });
  settings = { cwd: project, env: { XDG_CACHE_HOME: path.join(work, "cache") } };
  return () => rm(work, { recursive: true, force: true });
});

const pack = (args: readonly string[] = [], more: Partial<RunSettings> = {}) =>
  runDrybag(lab.connected, ["pack", "-o", path.join(work, "out"), ...args], {
    ...settings,
    ...more,
    env: { ...settings.env, ...more.env },
  });

/** One clear line with a remedy, the documented exit code, no stack trace, nothing written. */
async function expectFailure(run: Awaited<ReturnType<typeof pack>>, exitCode: number, message: RegExp) {
  expect(run.stderr).toMatch(message);
  expect(run.exitCode).toBe(exitCode);
  expect(run.stderr).not.toMatch(/^\s+at .*:\d+/m);
  expect(run.stderr).not.toMatch(/this is a defect/);
  expect(run.stdout).toBe("");
  expect(await readdir(path.join(work, "out")).catch(() => [])).toEqual([]);
}

test("no docker command", async () => {
  await expectFailure(await pack([], { env: { PATH: "/nonexistent" } }), 4, /docker-missing/);
});

test("no Compose plugin", async () => {
  const config = path.join(work, "empty-config");
  await mkdir(config);
  await expectFailure(await pack([], { env: { DOCKER_CONFIG: config } }), 4, /compose-missing/);
  const images = await runDrybag(lab.connected, ["images"], { cwd: project, env: { DOCKER_CONFIG: config } });
  await expectFailure(images, 4, /compose-missing/);
});

test("no daemon", async () => {
  const host = `unix://${path.join(work, "nobody.sock")}`;
  await expectFailure(await pack([], { env: { DOCKER_HOST: host } }), 4, /engine-unreachable/);
});

test("an unknown flag", async () => {
  await expectFailure(await pack(["--platfrom", "x"]), 2, /unknown option '--platfrom'/);
});

test("a missing env file", async () => {
  await expectFailure(await pack(["--env-file", "gone.env"]), 3, /file-missing/);
});

test("a folder without a Compose file", async () => {
  await expectFailure(await pack([], { cwd: "/" }), 3, /project-not-found/);
});

test("broken YAML, with its position", async () => {
  await writeFile(path.join(project, "compose.yaml"), "services:\n  web: [unclosed\n  x: 1\n");
  await expectFailure(await pack(), 3, /compose\.yaml:\d+:\d+/);
});

test("a project that Compose refuses", async () => {
  await writeFile(path.join(project, "compose.yaml"), "services:\n  web:\n    image: x\n    portz: []\n");
  await expectFailure(await pack(), 3, /portz/);
});

test("a bind mount whose source is missing", async () => {
  await rm(path.join(project, "config"), { recursive: true });
  await expectFailure(await pack(), 3, /file-missing[\s\S]*httpd\.conf|httpd\.conf[\s\S]*file-missing/);
});

test("an image that no registry has", async () => {
  const run = await pack([], { env: { HELLO_VERSION: "9.9.9" } });
  await expectFailure(run, 8, /hello-\w+:9\.9\.9/);
});

test("a platform that the images are not made for", async () => {
  await expectFailure(await pack(["--platform", "linux/arm64"]), 8, /hello-\w+:1\.0\.0/);
});

test("an unreadable file", async () => {
  await chmod(path.join(project, "hello.env"), 0);
  const run = await pack([], { obeysPermissions: true });
  await expectFailure(run, 3, /hello\.env/);
});

test("no space where the bundle goes", async () => {
  const full = path.join(work, "full");
  await mkdir(full);
  await execa("mount", ["-t", "tmpfs", "-o", "size=512k", "tmpfs", full]);
  try {
    const run = await pack(["-o", full]);
    await expectFailure(run, 6, /disk-full/);
    expect(await readdir(full)).toEqual([]);
  } finally {
    await execa("umount", [full]);
  }
});

test("no space where the cache is", async () => {
  const full = path.join(work, "cache");
  await mkdir(full);
  await execa("mount", ["-t", "tmpfs", "-o", "size=512k", "tmpfs", full]);
  try {
    await expectFailure(
      await pack(),
      6,
      /no space left for the cache of layers in \S+\/cache\/.*\[disk-full\]\n→ .*XDG_CACHE_HOME/,
    );
  } finally {
    await execa("umount", [full]);
  }
});

test("another bundle of the same name is not replaced unless told", async () => {
  const args = ["--bundle-version", "1"];
  expect(await pack(args)).toMatchObject({ exitCode: 0 });
  expect((await pack(args)).stdout).toMatch(/Unchanged/);
  await writeFile(path.join(project, "content", "new.txt"), "new\n");
  expect(await pack(args)).toMatchObject({ exitCode: 6, stdout: "" });
  expect(await pack([...args, "--force"])).toMatchObject({ exitCode: 0 });
  expect(await readdir(path.join(work, "out"))).toEqual(["hello-1"]);
});
