import { chmod, chown, mkdir, readdir, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Gap } from "./support/gap.ts";
import { startInstaller } from "./support/installer.ts";
import { runDrybag } from "./support/run-programs.ts";

const COMPOSE = `
services:
  app:
    image: carry/app:1
    entrypoint: ["sh", "-c", "echo started; sleep 1000000"]
    environment: { PACKED: "\${PACKED_VALUE:-nothing}" }
    stop_grace_period: 0s
    healthcheck: { test: [CMD, "true"], interval: 1s }
`;
/** A client that finds no plugin at all. */
const WITHOUT_COMPOSE = { DOCKER_CONFIG: "/nonexistent" };
/** nobody, but a member of the group that may use the engine. */
const USER = 65534;
const GROUP = 65533;

let gap: Gap;
let work: string;
let dir: string;
const folders: string[] = [];

beforeAll(async () => {
  gap = await Gap.open("instcompose");
  ({ work, dir } = gap);
  await chmod(work, 0o755);
  for (const version of ["1", "2"]) {
    await gap.buildVersion("carry/app:1", version);
    folders.push(await pack(version, "compose: carry\n"));
  }
});

afterAll(() => gap?.[Symbol.asyncDispose]());

async function pack(version: string, config: string): Promise<string> {
  const project = path.join(work, "stack");
  await mkdir(project, { recursive: true });
  await writeFile(path.join(project, "compose.yaml"), COMPOSE);
  await writeFile(path.join(project, "drybag.yaml"), config);
  const env = { XDG_CACHE_HOME: path.join(work, "cache"), PACKED_VALUE: "of the packing machine" };
  const args = ["pack", "--json", "-o", path.join(work, "out"), "--bundle-version", version];
  const run = await runDrybag(gap.connected, args, { cwd: project, env });
  expect(run.exitCode, run.stderr).toBe(0);
  return (JSON.parse(run.stdout) as { directory: string }).directory;
}

async function drybagSite(...args: string[]) {
  const run = await startInstaller(gap.site, [...args, "--dir", dir], WITHOUT_COMPOSE);
  expect(run.exitCode, run.stdout + run.stderr).toBe(0);
  return run.stdout;
}

test("a server without Compose installs, looks after and leaves a stack with the bundle's", async () => {
  const { plan } = JSON.parse(await drybagSite("preflight", folders[0] ?? "", "--json"));
  expect(plan.carriedCompose).toMatch(/^2\.\d+/);
  expect(await readdir(dir)).toEqual([]);

  await drybagSite("install", folders[0] ?? "", "--yes");
  const { mode } = await stat(path.join(dir, "bin", "docker-compose"));
  expect(mode & 0o777).toBe(0o755);
  expect((await readdir(path.join(dir, "bin"))).sort()).toEqual(["docker-compose", "docker-compose.version"]);
  expect(await readdir(path.join(dir, "stack", "current"))).not.toContain("extra");
  const { stdout } = await gap.site.docker(["exec", "stack-app-1", "sh", "-c", "echo $PACKED"]);
  expect(stdout).toBe("of the packing machine");

  expect(JSON.parse(await drybagSite("doctor", "--json"))).toMatchObject({
    stacks: [{ ok: true, findings: [] }],
  });
  await drybagSite("install", folders[1] ?? "", "--yes");
  await drybagSite("rollback", "--yes");
  expect(await drybagSite("status")).toMatch(/^stack: release 1-\w+, healthy/);
  expect(await drybagSite("logs")).toContain("started");
  await drybagSite("uninstall", "stack", "--yes", "--volumes", "--confirm", "stack");
});

describe("--install-compose", () => {
  /** With another folder where the plugins of all users are, for this one process and its children. */
  async function withPlugins(name: string, options: string): Promise<[folder: string, user: string[]]> {
    const folder = path.join(work, name);
    await mkdir(folder);
    const lib = "/usr/local/lib";
    const script = `mount --bind "$1" ${lib} && mount -o remount,bind,${options} ${lib} && shift && exec "$@"`;
    return [folder, ["unshare", "--mount", "--propagation=private", "sh", "-c", script, "sh", folder]];
  }

  test("gives Docker's client of this server the bundle's Compose too", async () => {
    const [plugins, everywhere] = await withPlugins("lib", "rw");
    await rm(dir, { recursive: true, force: true });
    const install = ["install", folders[0] ?? "", "--yes", "--dir", dir, "--install-compose"];
    const { exitCode, stdout, stderr } = await startInstaller(gap.site, install, WITHOUT_COMPOSE, everywhere);
    expect(exitCode, stdout + stderr).toBe(0);
    const folder = path.join(plugins, "docker", "cli-plugins");
    expect(await readdir(folder)).toEqual(["docker-compose"]);
    expect((await stat(path.join(folder, "docker-compose"))).mode & 0o777).toBe(0o755);
    const client = [...everywhere, "docker", "compose", "version", "--short"];
    const version = await gap.site.exec(client, { env: WITHOUT_COMPOSE });
    expect(version.stdout).toMatch(/^v?2\.\d+/);
    expect((await readdir(path.join(dir, "bin"))).sort()).toEqual([
      "docker-compose",
      "docker-compose.version",
    ]);
    await startInstaller(gap.site, ["uninstall", "stack", "--yes", "--dir", dir], WITHOUT_COMPOSE);
  });

  test("is a warning where that cannot be written, and the stack runs", async () => {
    await rm(dir, { recursive: true, force: true });
    const [, readOnly] = await withPlugins("read-only", "ro");
    const install = ["install", folders[0] ?? "", "--yes", "--json", "--dir", dir, "--install-compose"];
    const { exitCode, stdout, stderr } = await startInstaller(gap.site, install, WITHOUT_COMPOSE, readOnly);
    expect(exitCode, stdout + stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      findings: [{ code: "compose-not-installed", severity: "warning" }],
    });
    await startInstaller(gap.site, ["uninstall", "stack", "--yes", "--dir", dir], WITHOUT_COMPOSE);
  });
});

test("where Compose will do, the bundle's stays on the stick", async () => {
  await rm(dir, { recursive: true, force: true });
  const install = ["install", folders[0] ?? "", "--yes", "--dir", dir];
  const { exitCode, stderr } = await startInstaller(gap.site, install);
  expect(exitCode, stderr).toBe(0);
  expect(await readdir(dir)).toEqual(["stack"]);
  // Taken off the server afterwards.
  for (const command of ["logs", "status"]) {
    const args = [command, "stack", "--dir", dir, "--json"];
    const run = await startInstaller(gap.site, args, WITHOUT_COMPOSE);
    expect(run.exitCode, run.stdout).toBe(4);
    expect(JSON.parse(run.stdout)).toMatchObject({ error: { code: "compose-missing" } });
  }
  await startInstaller(gap.site, ["uninstall", "stack", "--yes", "--dir", dir]);
});

test("a plugin that needs this distribution's libraries travels only when asked for", async () => {
  const folder = await pack("3", "name: stack\n");
  const { exitCode, stdout } = await startInstaller(
    gap.site,
    ["install", folder, "--yes", "--json", "--dir", dir],
    WITHOUT_COMPOSE,
  );
  expect(exitCode).toBe(4);
  expect(JSON.parse(stdout)).toMatchObject({ error: { code: "compose-missing" } });
});

test("a member of the group of Docker needs no root, in a folder of their own", async () => {
  const own = path.join(work, "own");
  await mkdir(own);
  await chown(own, USER, USER);
  const before = await stat(gap.site.socket);
  await chown(gap.site.socket, 0, GROUP);
  await chmod(gap.site.socket, 0o660);
  const member = ["setpriv", `--reuid=${USER}`, `--regid=${USER}`, `--groups=${GROUP}`];
  for (const args of [["install", folders[0] ?? "", "--yes", "--name", "mine"], ["doctor"], ["status"]]) {
    const run = await startInstaller(gap.site, [...args, "--dir", own], { HOME: own }, member);
    expect(run.exitCode, run.stdout + run.stderr).toBe(0);
  }
  for (const command of ["releases", "backup", "doctor"]) {
    const stranger = ["setpriv", `--reuid=${USER - 2}`, `--regid=${USER - 2}`, `--groups=${GROUP}`];
    const run = await startInstaller(gap.site, [command, "mine", "--dir", own], { HOME: own }, stranger);
    expect(run.exitCode, run.stdout + run.stderr).toBe(6);
    expect(run.stderr).toMatch(/\[permission-denied\]\n→ Run the same command as root \(sudo\)/);
  }
  await chown(gap.site.socket, before.uid, before.gid);
  expect((await stat(path.join(own, "mine", "current", ".env"))).uid).toBe(USER);
});
