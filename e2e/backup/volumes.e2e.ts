import { cp, mkdir, readdir, rm, truncate, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Engine } from "@drybag/lab";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fillFolder, listFolder } from "../support/folder-content.ts";
import { Gap } from "../support/gap.ts";
import { containersOf, kill, startInstaller, untilWritten } from "../support/installer.ts";

const IMAGE = `FROM drybag/hello-task:1.0.0
RUN mkdir /seed /state && echo seed >/seed/file
VOLUME /seed /state
`;

/** Volumes of every kind; those without a name at /log of db, and where the image has them. */
const vault = (bound: string) => `
services:
  db:
    image: backup/db:1
    entrypoint: [sleep, "1000000"]
    volumes: ["data:/data", "bound:/bound", "scratch:/scratch", "shared:/shared", "/log"]
    stop_grace_period: 0s
    healthcheck: { test: [CMD, test, "!", -e, /data/broken], interval: 1s, retries: 2 }
  app:
    image: backup/db:1
    entrypoint: [sleep, "1000000"]
    volumes: ["data:/data", "shared:/shared"]
    stop_grace_period: 0s
    healthcheck: { test: [CMD, "true"], interval: 1s }
volumes:
  data:
  bound: { driver_opts: { type: none, o: bind, device: ${bound} } }
  scratch: { driver_opts: { type: tmpfs, device: tmpfs } }
  shared: { external: true, name: vault-shared }
`;

const VAULT_CONFIG = `
tasks:
  spoil: { when: after-upgrade, service: db, command: 'for each in /data /bound /shared /log /state /seed; do echo spoilt >$each/file; done; exit 1' }
backup: { volumes: [data, bound, scratch, shared, "db:/log", "db:/state", "db:/seed", "app:/seed", "app:/state"] }
`;

const MIB = 1024 ** 2;

let gap: Gap;
let site: Engine;
let work: string;
let dir: string;
let bound: string;
const folders: Record<string, string> = {};

beforeAll(async () => {
  gap = await Gap.open("backup-volumes");
  ({ site, work, dir } = gap);
  bound = path.join(work, "bound");
  await mkdir(bound);
  const files = { "compose.yaml": vault(bound), "drybag.yaml": VAULT_CONFIG };
  for (const version of ["1", "2"]) {
    // Another image under the same name, which asks for no volumes.
    const input = version === "1" ? IMAGE : IMAGE.replace(/^VOLUME.*$/m, "");
    await gap.build("backup/db:1", input);
    folders[version] = await gap.pack("vault", version, files);
  }
  await site.docker(["volume", "create", "vault-shared"]);
});

afterAll(async () => {
  await execa("umount", [path.join(dir, "vault", "backups")], { reject: false });
  await gap?.[Symbol.asyncDispose]();
});

interface Result {
  backup: string;
  folder: string;
  volumes: string[];
  unnamed: string[];
}

const drybagSite = (args: readonly string[]) => gap.drybagSite<Result>(args);

async function succeed(args: readonly string[]) {
  const outcome = await drybagSite(args);
  expect(outcome.exitCode, JSON.stringify(outcome.error)).toBe(0);
  return outcome;
}

const install = (version: string) => ["install", folders[version] ?? "", "--yes"];
const inDb = (script: string) => site.docker(["exec", "vault-db-1", "sh", "-c", script]);
const backups = async () => (await readdir(path.join(dir, "vault", "backups"))).sort();
/** Volumes that no container has. */
const orphans = async () => String((await site.docker(["volume", "ls", "-qf", "dangling=true"])).stdout);
const unnamedVolumes = async () => {
  const format = '{{range .Mounts}}{{.Type}} {{.Name}} {{.Destination}}{{"\\n"}}{{end}}';
  const { stdout } = await site.docker(["inspect", "--format", format, "vault-db-1"]);
  return String(stdout)
    .split("\n")
    .filter((line) => /^volume [0-9a-f]{64} /.test(line))
    .sort();
};

const PLACES = ["/data", "/bound", "/shared", "/log", "/state", "/seed"];

const everything = async () =>
  Object.fromEntries(
    await Promise.all(PLACES.map(async (place) => [place, await listFolder(site, "vault-db-1", place)])),
  );

describe("volumes with options, of others, and without a name", () => {
  let content: Awaited<ReturnType<typeof everything>>;
  let backup: string;

  test("are backed up with all that is in them; what is in memory, or as in the image, is not", async () => {
    await succeed(install("1"));
    for (const place of PLACES.filter((each) => each !== "/seed"))
      await fillFolder(site, "vault-db-1", place);
    content = await everything();
    const made = await succeed(["backup"]);
    backup = made.backup;
    expect(made.volumes).toEqual(["bound", "data", "shared"]);
    const unnamed = ["app:/seed", "app:/state", "db:/log", "db:/seed", "db:/state"];
    expect(made.unnamed).toEqual(unnamed);
    expect((await readdir(made.folder)).filter((name) => name.startsWith("unnamed"))).toEqual([
      "unnamed-db-1-3.tar.zst",
      "unnamed-db-1-5.tar.zst",
    ]);
    expect(await everything()).toEqual(content);
  });

  test("come back after an upgrade that failed in the middle of changing them", async () => {
    const before = await unnamedVolumes();
    const failed = await drybagSite(install("2"));
    expect(failed).toMatchObject({ exitCode: 7, error: { code: "task-failed" } });
    expect(await everything()).toEqual(content);
    // What was as the image has it is the engine's to make again.
    const kept = before.filter((line) => !line.endsWith(" /seed"));
    expect(await unnamedVolumes()).toEqual(expect.arrayContaining(kept));
    expect(await orphans()).toBe("");
  });

  test("come back after all of them were destroyed, on a restore that is killed and begun again", async () => {
    const folder = path.join(work, "kept");
    await cp(path.join(dir, "vault", "backups", backup), folder, { recursive: true });
    await succeed(["uninstall", "vault", "--yes", "--volumes", "--confirm", "vault"]);
    expect(String((await site.docker(["volume", "ls", "-q"])).stdout)).toBe("vault-shared");
    await site.docker(["volume", "rm", "vault-shared"]);
    await site.docker(["volume", "create", "vault-shared"]);
    await succeed(install("1"));
    await writeFile(path.join(bound, "newer"), "not in the backup");
    const restore = ["restore", "--from", folder, "--yes"];
    // Of what goes by faster than it can be read, the first and the last is shown.
    for (const moment of ["", ',"message":"volume bound"', ',"message":"volume db:/state"']) {
      const killed = startInstaller(site, [...restore, "--json", "--dir", dir]);
      await untilWritten(killed, `"stage":"restore"${moment}`);
      await kill(killed);
    }
    await succeed(restore);
    expect(await everything()).toEqual(content);
    expect(await orphans()).toBe("");
    const { volumes, unnamed } = await succeed(["backup"]);
    expect([...volumes, ...unnamed]).toHaveLength(8);
  });

  test("have what was there before again where a restored stack does not get healthy", async () => {
    await inDb("touch /data/broken");
    expect(await drybagSite(["backup"])).toMatchObject({ exitCode: 7, error: { code: "unhealthy" } });
    const broken = (await backups()).at(-1) as string;
    await inDb("rm /data/broken; for each in /shared /bound /log; do echo now >$each/file; done");
    const now = await everything();
    const failed = await drybagSite(["restore", broken, "--yes", "--timeout", "60"]);
    expect(failed).toMatchObject({ exitCode: 7, error: { code: "unhealthy" } });
    expect(failed.error?.hint).toContain("runs again with the data that it had before");
    expect(await everything()).toEqual(now);
    expect(await orphans()).toBe("");
  });

  test("of others are not touched while those run with them", async () => {
    const sleep = ["--entrypoint", "sleep", "backup/db:1", "1000000"];
    await site.docker(["run", "-d", "--rm", "--name", "stranger", "-v", "vault-shared:/x", ...sleep]);
    await inDb("echo newer >/shared/file");
    const before = await containersOf(site, "vault");
    const refused = await drybagSite(["restore", "--from", path.join(work, "kept"), "--yes"]);
    expect(refused).toMatchObject({ exitCode: 6, error: { code: "restore-refused" } });
    expect(refused.error?.message).toContain("vault-shared is used by stranger");
    expect(await containersOf(site, "vault")).toEqual(before);
    await site.docker(["rm", "-fv", "stranger"]);
    await site.docker(["create", "--name", "stranger", "-v", "vault-shared:/x", ...sleep]);
    await succeed(["restore", "--from", path.join(work, "kept"), "--yes"]);
    expect(await everything()).toEqual(content);
    await site.docker(["rm", "-fv", "stranger"]);
  });

  test("without a name survive an uninstall that keeps data", async () => {
    const before = await unnamedVolumes();
    await succeed(["uninstall", "vault", "--yes"]);
    await succeed(install("1"));
    expect(await unnamedVolumes()).toEqual(before);
    expect(await everything()).toEqual(content);
    expect(await orphans()).toBe("");
  });
});

describe("a disk that is full", () => {
  test("is told before the stack is stopped, or leaves it running and no half backup", async () => {
    const folder = path.join(dir, "vault", "backups");
    const disk = path.join(work, "disk.img");
    await writeFile(disk, "");
    await truncate(disk, 64 * MIB);
    await execa("mkfs.ext4", ["-q", "-m", "0", disk]);
    await rm(folder, { recursive: true });
    await mkdir(folder);
    await execa("mount", ["-o", "loop", disk, folder]);
    await rm(path.join(folder, "lost+found"), { recursive: true });
    const data = (source: string, mib: number) =>
      inDb(`dd if=/dev/${source} of=/data/large bs=1M count=${mib} 2>&1`);

    await data("urandom", 80);
    const before = await containersOf(site, "vault");
    const refused = await drybagSite(["backup"]);
    expect(refused).toMatchObject({ exitCode: 6, error: { code: "disk-full" } });
    expect(refused.error?.message).toMatch(/^A backup needs up to .* free in .*backups; there are /);
    expect(await containersOf(site, "vault")).toEqual(before);

    await data("zero", 16);
    const { backup } = await succeed(["backup"]);
    // As well as that, the next one is not compressed.
    await data("urandom", 80);
    for (const command of [["backup"], ["restore", backup, "--yes"]]) {
      const full = await drybagSite(command);
      expect(full, JSON.stringify(full)).toMatchObject({ exitCode: 6, error: { code: "disk-full" } });
      expect(full.error?.message).toMatch(/^The disk is full: .*volume-.*\.tar\.zst could not be written\.$/);
      expect(await backups()).toEqual([backup]);
      expect((await containersOf(site, "vault")).map((line) => line.split(" ")[1])).toEqual(
        before.map((line) => line.split(" ")[1]),
      );
      await expect.poll(async () => (await drybagSite(["status"])).exitCode, { timeout: 60_000 }).toBe(0);
    }
    await inDb("rm /data/large");
    await succeed(["backup"]);
    await execa("umount", [folder]);
    await succeed(["uninstall", "vault", "--yes", "--volumes", "--backups", "--confirm", "vault"]);
    expect(String((await site.docker(["volume", "ls", "-q"])).stdout)).toBe("vault-shared");
  });
});
