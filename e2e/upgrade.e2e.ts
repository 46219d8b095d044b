import { cp, readdir, readFile, readlink, rm, stat, truncate, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Engine } from "@drybag/lab";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Gap } from "./support/gap.ts";
import { containersOf, interrupt, kill, startInstaller, untilWritten } from "./support/installer.ts";

/** Reads its data only where that has the version it knows, as a database would. */
const COMPOSE = `
services:
  db:
    image: up/db:1
    entrypoint: [sh, -c, "test -e /data/version || echo $$(cat /version) >/data/version; exec sleep 1000000"]
    volumes: ["data:/data", "cache:/cache"]
    stop_grace_period: 0s
    healthcheck: { test: [CMD, test, -e, /data/version], interval: 1s }
  app:
    image: up/db:1
    entrypoint: [sh, -c, "mkdir -p /www; cd /www; exec httpd -f -p 8080 -h /data"]
    volumes: ["data:/data", "./kept:/kept"]
    depends_on: { db: { condition: service_healthy }, setup: { condition: service_completed_successfully } }
    stop_grace_period: 0s
    healthcheck: { test: [CMD, "true"], interval: 1s }
  setup:
    image: up/db:1
    entrypoint: [sh, -c, "echo run >>/data/setups"]
    volumes: ["data:/data"]
    restart: "no"
volumes:
  data:
  cache:
`;

/** 2 migrates; 3 breaks off while it does; 4 migrates and then never does its work. */
const config = (version: string) => `
settings:
  WORD: { description: First row }
tasks:
  fill: { when: first-install, service: app, once: true, settings: [WORD], command: 'echo $WORD >/data/rows; chown 999:998 /data /data/rows; chmod 2750 /data; echo kept >/kept/rows' }
  drain: { when: before-upgrade, service: db, command: 'test ! -e /cache/stuck && echo drained >>/data/drained' }
  migrate:
    when: after-upgrade
    service: db
    command: |
      set -e
      echo "$(cat /data/rows) migrated to ${version}" >/data/rows
      echo ${version} >/data/version
      test ${version} != 3
      test ! -e /cache/wait || { echo waiting; sleep 1000; }
checks:
  version: { http: { service: app, port: 8080, path: /version, body: "^${version === "4" ? 9 : version}$" }, timeout: 4s }
backup: { exclude: [cache], keep: 3 }
`;

let gap: Gap;
let site: Engine;
let work: string;
let dir: string;
const folders: Record<string, string> = {};

beforeAll(async () => {
  gap = await Gap.open("upgrade", {
    site: { imageStore: "containerd" },
    sites: [{ name: "second", imageStore: "classic" }],
  });
  ({ site, work, dir } = gap);
  for (const version of ["1", "2", "3", "4"]) {
    await gap.buildVersion("up/db:1", version);
    const files = { "compose.yaml": COMPOSE, "drybag.yaml": config(version), "kept/": "" };
    folders[version] = await gap.pack("stack", version, files);
  }
});

afterAll(() => gap?.[Symbol.asyncDispose]());

const drybagSite = <Result = object>(...args: string[]) => gap.drybagSite<Result>(args);

const install = (version: string, ...args: string[]) =>
  drybagSite<{ backup: string | null; tasks: { name: string }[] }>(
    ...["install", folders[version] ?? "", "--yes", ...args],
  );
const release = async () => (await readlink(path.join(dir, "stack", "current"))).replace(/^releases\//, "");
const backups = async () =>
  (await readdir(path.join(dir, "stack", "backups")).catch(() => [] as string[])).sort();
const inApp = async (script: string, engine = site) =>
  String((await engine.docker(["exec", "stack-app-1", "sh", "-c", script])).stdout);
const data = async (engine = site) => inApp("cat /version /data/version /data/rows /kept/rows", engine);
const owner = async (engine = site) => inApp("stat -c '%u:%g %a' /data /data/rows", engine);
const OWNED = "999:998 2750\n999:998 644";

test("an upgrade runs its tasks around a backup, and migrates the data", async () => {
  expect((await install("1", "--set", "WORD=precious")).error).toBeUndefined();
  expect(await data()).toBe("1\n1\nprecious\nkept");
  const { exitCode, error, backup, tasks } = await install("2");
  expect(exitCode, JSON.stringify(error)).toBe(0);
  expect(tasks.map(({ name }) => name)).toEqual(["drain", "migrate"]);
  expect(await data()).toBe("2\n2\nprecious migrated to 2\nkept");
  expect(await owner()).toBe(OWNED);
  expect(await backups()).toEqual([backup]);
  const folder = path.join(dir, "stack", "backups", backup ?? "");
  expect((await readdir(folder)).sort()).toEqual([
    "SHA256SUMS",
    "backup.json",
    "data.tar.zst",
    "site.env",
    "volume-data.tar.zst",
  ]);
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
  const checked = await execa("sha256sum", ["--check", "--strict", "SHA256SUMS"], { cwd: folder });
  expect(checked.stdout.split("\n")).toHaveLength(4);
});

test.each([
  ["whose migration fails", "3", "task-failed"],
  ["that never does its work", "4", "unhealthy"],
])("an upgrade %s ends in the old release with its old data", async (_, version, code) => {
  const failed = await install(version);
  expect(failed).toMatchObject({ exitCode: 7, error: { code } });
  expect(failed.error?.hint).toMatch(/^Release 2-[0-9a-f]{8} was started again, is healthy .* put back from/);
  expect(await release()).toMatch(/^2-/);
  expect(await data()).toBe("2\n2\nprecious migrated to 2\nkept");
  expect(await owner()).toBe(OWNED);
  expect((await drybagSite("status")).exitCode).toBe(0);
});

test("a task before an upgrade that fails changes nothing; the upgrade can do without it", async () => {
  await site.docker(["exec", "stack-db-1", "touch", "/cache/stuck"]);
  const before = await containersOf(site, "stack");
  const failed = await install("3");
  expect(failed).toMatchObject({ exitCode: 7, error: { code: "task-failed" } });
  expect(failed.error?.hint).toMatch(
    /^Nothing else was changed; 2-.* --skip-task drain upgrades without it\.$/,
  );
  expect(await containersOf(site, "stack")).toEqual(before);
  expect(await install("3", "--skip-task", "drian")).toMatchObject({
    error: { code: "task-not-found", hint: "It runs drain." },
  });
  // It comes as far as the next task that fails.
  const without = await install("3", "--skip-task", "drain");
  expect(without).toMatchObject({ exitCode: 7, error: { message: expect.stringContaining("migrate") } });
  expect(without.stderr).toContain('"code":"task-skipped"');
  expect(await data()).toBe("2\n2\nprecious migrated to 2\nkept");
  await site.docker(["exec", "stack-db-1", "rm", "/cache/stuck"]);
});

test("without a backup, a failed upgrade says that the data is as the new release left it", async () => {
  const failed = await install("4", "--no-backup");
  // The old release's own check sees the data of the new one.
  expect(failed).toMatchObject({ exitCode: 10, error: { code: "return-failed" } });
  expect(await inApp("cat /version /data/version")).toBe("2\n4");
  await inApp("echo 2 >/data/version; echo precious migrated to 2 >/data/rows");
  expect((await drybagSite("status")).exitCode).toBe(0);
});

test("a backup stops the stack for the time, and runs nothing anew", async () => {
  const before = await inApp("cat /data/setups");
  const containers = (await containersOf(site, "stack")).map((line) => line.split(" ")[1]);
  const made = await drybagSite<{ backup: string; volumes: string[] }>("backup");
  expect(made, JSON.stringify(made.error)).toMatchObject({ exitCode: 0, volumes: ["data"], data: true });
  expect(await inApp("cat /data/setups")).toBe(before);
  expect((await containersOf(site, "stack")).map((line) => line.split(" ")[1])).toEqual(containers);
  const { stacks } = await drybagSite<{ stacks: { backups: { backup: string }[] }[] }>("backups");
  expect(stacks[0]?.backups.map(({ backup }) => backup)).toEqual((await backups()).reverse());
  expect(stacks[0]?.backups).toHaveLength(3);
  expect((await drybagSite("status")).exitCode).toBe(0);
});

test("Ctrl-C and kill -9 in a backup leave a stack that runs, and no half backup", async () => {
  const before = await backups();
  const stopped = startInstaller(site, ["backup", "--json", "--dir", dir]);
  await untilWritten(stopped, '"stage":"backup"');
  await interrupt(stopped);
  expect(await backups()).toEqual(before);
  await expect.poll(async () => (await drybagSite("status")).exitCode, { timeout: 20_000 }).toBe(0);

  const killed = startInstaller(site, ["backup", "--json", "--dir", dir]);
  await untilWritten(killed, '"message":"volume data"');
  await kill(killed);
  expect((await drybagSite("backup")).exitCode).toBe(0);
  expect((await backups()).filter((name) => name.startsWith("."))).toEqual([]);
  expect((await drybagSite("status")).exitCode).toBe(0);
});

test("rollback as it is fails the old release's check and comes back; with its data it succeeds", async () => {
  await rm(path.join(dir, "stack", "backups"), { recursive: true });
  expect(await drybagSite("rollback", "--yes", "--restore-data")).toMatchObject({
    exitCode: 6,
    error: { code: "backup-not-found" },
  });
  const failed = await drybagSite("rollback", "--yes");
  expect(failed).toMatchObject({ exitCode: 7, error: { code: "unhealthy" } });
  expect(await data()).toBe("2\n2\nprecious migrated to 2\nkept");
  expect(await release()).toMatch(/^2-/);

  await inApp("echo 1 >/data/version; echo precious >/data/rows");
  expect((await drybagSite("rollback", "--yes")).exitCode).toBe(0);
  expect((await install("2")).exitCode).toBe(0);
  const back = await drybagSite("rollback", "--yes", "--restore-data");
  expect(back, JSON.stringify(back.error)).toMatchObject({ exitCode: 0, backup: expect.any(String) });
  expect(await release()).toMatch(/^1-/);
  expect(await data()).toBe("1\n1\nprecious\nkept");
});

test("killed within the migration, the same command again begins from the data before, and finishes", async () => {
  await site.docker(["exec", "stack-db-1", "touch", "/cache/wait"]);
  const killed = startInstaller(site, ["install", folders["2"] ?? "", "--json", "--yes", "--dir", dir]);
  await untilWritten(killed, '"message":"waiting"');
  await kill(killed);
  expect(await drybagSite("backup")).toMatchObject({ exitCode: 6, error: { code: "upgrade-unfinished" } });
  await site.docker(["exec", "stack-db-1", "rm", "/cache/wait"]);
  const again = await install("2");
  expect(again.exitCode, JSON.stringify(again.error)).toBe(0);
  expect(await data()).toBe("2\n2\nprecious migrated to 2\nkept");
});

test("killed within the migration, rollback has the old release back with its data", async () => {
  expect((await drybagSite("rollback", "--yes", "--restore-data")).exitCode).toBe(0);
  await site.docker(["exec", "stack-db-1", "touch", "/cache/wait"]);
  const killed = startInstaller(site, ["install", folders["2"] ?? "", "--json", "--yes", "--dir", dir]);
  await untilWritten(killed, '"message":"waiting"');
  await kill(killed);
  const back = await drybagSite("rollback", "--yes");
  expect(back.exitCode, JSON.stringify(back.error)).toBe(0);
  expect(await release()).toMatch(/^1-/);
  expect(await data()).toBe("1\n1\nprecious\nkept");
  await site.docker(["exec", "stack-db-1", "rm", "/cache/wait"]);
});

test("restore puts a backup back, keeps what was there, and finishes one that was killed", async () => {
  const { backup } = await drybagSite<{ backup: string }>("backup");
  await inApp("echo lost >/data/rows; echo new >/data/more; echo lost >/kept/rows");
  const killed = startInstaller(site, ["restore", backup, "--json", "--yes", "--dir", dir]);
  await untilWritten(killed, '"stage":"restore"');
  await kill(killed);
  expect(await drybagSite("run", "drain")).toMatchObject({
    exitCode: 6,
    error: { code: "restore-unfinished" },
  });
  expect(await install("2")).toMatchObject({ exitCode: 6, error: { code: "restore-unfinished" } });
  const restored = await drybagSite<{ aside: string }>("restore", backup, "--yes");
  expect(restored.exitCode, JSON.stringify(restored.error)).toBe(0);
  expect(await data()).toBe("1\n1\nprecious\nkept");
  expect(await inApp("ls /data")).not.toContain("more");
  expect(await owner()).toBe(OWNED);
  expect((await drybagSite("restore", restored.aside, "--yes")).exitCode).toBe(0);
  expect(await inApp("cat /data/rows /data/more /kept/rows")).toBe("lost\nnew\nlost");
  expect((await drybagSite("restore", backup, "--yes")).exitCode).toBe(0);
});

describe("on a second server", () => {
  test("the data comes back with the same bundle, and damaged or foreign backups do not", async () => {
    const { backup } = await drybagSite<{ backup: string }>("backup");
    const stick = path.join(work, "stick");
    await cp(path.join(dir, "stack", "backups", backup), stick, { recursive: true });
    const second = gap.siteNamed("second");
    const other = path.join(work, "second");
    const onSecond = (...args: string[]) => gap.drybagSite(args, { engine: second, dir: other });
    expect(
      (await onSecond("install", folders["1"] ?? "", "--yes", "--values", path.join(stick, "site.env")))
        .exitCode,
    ).toBe(0);
    await inApp("echo other >/data/rows", second);

    const before = await containersOf(second, "stack");
    const flip = async (file: string) => {
      const bytes = await readFile(file);
      bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 1;
      await writeFile(file, bytes);
    };
    const damages: [string, (file: string) => Promise<void>][] = [
      ["volume-data.tar.zst", flip],
      ["volume-data.tar.zst", (file) => truncate(file, 600)],
      ["data.tar.zst", (file) => rm(file)],
      ["backup.json", (file) => truncate(file, 600)],
      ["backup.json", flip],
    ];
    for (const [file, damage] of damages) {
      const damaged = path.join(work, "damaged");
      await cp(stick, damaged, { recursive: true });
      await damage(path.join(damaged, file));
      const refused = await onSecond("restore", "--from", damaged, "--yes");
      expect(refused).toMatchObject({ exitCode: 5, error: { code: "backup-damaged" } });
      expect(refused.error?.message).toContain(path.join(damaged, file));
      await rm(damaged, { recursive: true });
    }
    expect(await containersOf(second, "stack")).toEqual(before);
    expect(await inApp("cat /data/rows", second)).toBe("other");

    const restored = await onSecond("restore", "--from", stick, "--yes");
    expect(restored.exitCode, JSON.stringify(restored.error)).toBe(0);
    expect(await data(second)).toBe("1\n1\nprecious\nkept");
    expect(await owner(second)).toBe(OWNED);

    expect((await onSecond("install", folders["2"] ?? "", "--yes")).exitCode).toBe(0);
    expect(await onSecond("restore", "--from", stick, "--yes")).toMatchObject({
      exitCode: 5,
      error: { code: "backup-other" },
    });
    expect(await data(second)).toBe("2\n2\nprecious migrated to 2\nkept");
  });
});

test("uninstall keeps data and backups; with --volumes the data goes, and a backup brings it back", async () => {
  const { backup } = await drybagSite<{ backup: string }>("backup");
  expect((await drybagSite("uninstall", "stack", "--yes")).exitCode).toBe(0);
  expect((await install("1")).tasks).toEqual([]);
  expect(await data()).toBe("1\n1\nprecious\nkept");
  await inApp("echo fine >/data/rows");
  expect((await drybagSite("backup")).exitCode).toBe(0);
  const gone = await drybagSite("uninstall", "stack", "--yes", "--volumes", "--confirm", "stack");
  expect(gone).toMatchObject({ exitCode: 0, backups: (await backups()).reverse() });
  expect(await readdir(path.join(dir, "stack"))).toEqual(["backups"]);
  expect((await site.docker(["volume", "ls", "--quiet"])).stdout).toBe("");
  // A new site: its tasks run again.
  expect((await install("1", "--set", "WORD=new")).tasks).toMatchObject([{ name: "fill", outcome: "done" }]);
  expect((await drybagSite("restore", "--yes")).exitCode).toBe(0);
  expect(await inApp("cat /data/rows")).toBe("fine");
  expect((await drybagSite("restore", backup, "--yes")).exitCode).toBe(0);
  expect(await data()).toBe("1\n1\nprecious\nkept");
  await drybagSite("uninstall", "stack", "--yes", "--volumes", "--backups", "--confirm", "stack");
  expect(await readdir(dir)).toEqual([]);
});
