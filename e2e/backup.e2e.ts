import { createHash } from "node:crypto";
import { cp, mkdir, mkdtemp, readdir, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { buffer } from "node:stream/consumers";
import { buildFixture } from "@drybag/fixtures";
import { type Engine, type Lab, labUp, readLabEnvironment } from "@drybag/lab";
import { execa } from "execa";
import { extract, pack } from "tar-stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { containersOf, packProject, startInstaller } from "./support/installer.ts";

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

/** A database that is dumped into a folder that all releases share, and that cannot be copied while it runs. */
const LEDGER = `
services:
  db:
    image: drybag/hello-task:1.0.0
    entrypoint: [sh, -c, "touch /db/rows; exec sleep 1000000"]
    volumes: ["db:/db", "./dumps:/dumps"]
    stop_grace_period: 0s
    healthcheck: { test: [CMD, "true"], interval: 1s }
volumes:
  db:
`;

const LEDGER_CONFIG = `
tasks:
  dump: { service: db, command: [cp, /db/rows, /dumps/rows.sql] }
  load: { service: db, command: [cp, /dumps/rows.sql, /db/rows] }
  spoil: { when: after-upgrade, service: db, command: 'echo spoilt >/db/rows; exit 1' }
backup: { exclude: [db], dumpTask: dump }
`;

/** As the engine writes it into archives. */
const CAPABILITY = "SCHILY.xattr.security.capability";
const MIB = 1024 ** 2;

let lab: Lab;
let site: Engine;
let work: string;
let dir: string;
let bound: string;
const folders: Record<string, string> = {};

beforeAll(async () => {
  const environment = readLabEnvironment(process.env);
  lab = await labUp({ name: "backup", environment, sites: [{ name: "second", imageStore: "containerd" }] });
  site = lab.site;
  work = await mkdtemp(path.join(tmpdir(), "drybag-backup-"));
  dir = path.join(work, "opt");
  bound = path.join(work, "bound");
  await mkdir(bound);
  await buildFixture("hello", { engineEnv: lab.connected.env });
  const stacks = [
    { name: "vault", compose: vault(bound), config: VAULT_CONFIG },
    { name: "ledger", compose: LEDGER, config: LEDGER_CONFIG },
  ];
  for (const { name, compose, config } of stacks) {
    const project = path.join(work, name);
    await mkdir(path.join(project, "dumps"), { recursive: true });
    const files = { "compose.yaml": compose, "drybag.yaml": config };
    for (const version of ["1", "2"]) {
      // Another image under the same name, which asks for no volumes.
      const input = version === "1" ? IMAGE : IMAGE.replace(/^VOLUME.*$/m, "");
      await lab.connected.docker(["build", "--quiet", "--tag", "backup/db:1", "-"], { input });
      const args = ["--bundle-version", version];
      folders[`${name} ${version}`] = await packProject(lab.connected, project, files, args);
    }
  }
  await site.docker(["volume", "create", "vault-shared"]);
});

afterAll(async () => {
  await execa("umount", [path.join(dir, "vault", "backups")], { reject: false });
  await rm(work, { recursive: true, force: true });
  await lab?.[Symbol.asyncDispose]();
});

interface Outcome {
  error?: { code: string; message: string; hint?: string };
  backup: string;
  folder: string;
  aside: string;
  volumes: string[];
  unnamed: string[];
}

async function drybagSite(args: readonly string[], { engine = site, into = dir } = {}) {
  const [command = "", ...rest] = args;
  const run = await startInstaller(engine, [command, "--json", "--dir", into, ...rest]);
  return { exitCode: run.exitCode, ...(JSON.parse(run.stdout) as Outcome) };
}

async function succeed(args: readonly string[], on: Parameters<typeof drybagSite>[1] = {}) {
  const outcome = await drybagSite(args, on);
  expect(outcome.exitCode, JSON.stringify(outcome.error)).toBe(0);
  return outcome;
}

const install = (bundle: string) => ["install", folders[bundle] ?? "", "--yes"];
const inContainer = async (container: string, script: string, engine = site) =>
  String((await engine.docker(["exec", container, "sh", "-c", script])).stdout);
const backups = async (stack: string) => (await readdir(path.join(dir, stack, "backups"))).sort();
/** Volumes that no container has. */
const orphans = async () => String((await site.docker(["volume", "ls", "-qf", "dangling=true"])).stdout);
const unnamedOf = async (container: string) => {
  const format = '{{range .Mounts}}{{.Type}} {{.Name}} {{.Destination}}{{"\\n"}}{{end}}';
  const { stdout } = await site.docker(["inspect", "--format", format, container]);
  return String(stdout)
    .split("\n")
    .filter((line) => /^volume [0-9a-f]{64} /.test(line))
    .sort();
};

const PLACES = ["/data", "/bound", "/shared", "/log", "/state", "/seed"];

/** A file, links of both kinds, an owner, modes, a capability and times, as a database or a package manager would have them. */
async function fill(folder: string): Promise<void> {
  const tar = pack();
  const mtime = new Date(1_700_000_000_000);
  const owner = { uid: 999, gid: 998, mtime };
  const capability = {
    "SCHILY.xattr.security.capability": "\u0001\0\0\u0002\0\u0004\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
  };
  tar.entry({ name: "file", ...owner, mode: 0o640, pax: capability }, `content of ${folder}`);
  tar.entry({ name: "deep", type: "directory", ...owner, mode: 0o2750 });
  tar.entry({ name: "deep/.hidden", ...owner, mode: 0o4755 }, "");
  tar.entry({ name: "deep/hard", type: "link", linkname: "file", ...owner, mode: 0o640, pax: capability });
  tar.entry({ name: "soft", type: "symlink", linkname: "deep/nowhere", ...owner });
  tar.finalize();
  const input = await buffer(tar as AsyncIterable<Buffer>);
  await site.docker(["cp", "-", `vault-db-1:${folder}`], { input });
  await inContainer("vault-db-1", `chown 999:998 ${folder}; chmod 1770 ${folder}`);
}

/** All that the engine tells of a folder. */
async function listing(folder: string, container = "vault-db-1"): Promise<object[]> {
  const { stdout } = await site.docker(["cp", `${container}:${folder}`, "-"], { encoding: "buffer" });
  const tar = extract();
  tar.end(stdout as unknown as Buffer);
  const entries: object[] = [];
  for await (const entry of tar) {
    const { name, type, mode, uid, gid, linkname, mtime, pax } = entry.header;
    const hash = createHash("sha256");
    for await (const chunk of entry) hash.update(chunk as Buffer);
    const capability = Object.entries(pax ?? {}).find(([key]) => key === CAPABILITY)?.[1] ?? null;
    // The engine gives folders that it fills from an image new times.
    const time = folder === "/seed" && type === "directory" ? null : mtime;
    entries.push({ name, type, mode, uid, gid, linkname, time, capability, content: hash.digest("hex") });
  }
  return entries;
}

const everything = async () =>
  Object.fromEntries(await Promise.all(PLACES.map(async (place) => [place, await listing(place)])));

/** Resolves once a program that runs with --json has written this on its progress. */
function until(run: ReturnType<typeof startInstaller>, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let seen = "";
    run.stderr.on("data", (chunk: Buffer) => {
      seen += chunk.toString();
      if (seen.includes(text)) resolve();
    });
    run.then(() => reject(new Error(`it ended before '${text}': ${seen}`)), reject);
  });
}

describe("volumes with options, of others, and without a name", () => {
  let content: Awaited<ReturnType<typeof everything>>;
  let backup: string;

  test("are backed up with all that is in them; what is in memory, or as in the image, is not", async () => {
    await succeed(install("vault 1"));
    for (const place of PLACES.filter((each) => each !== "/seed")) await fill(place);
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
    const before = await unnamedOf("vault-db-1");
    const failed = await drybagSite(install("vault 2"));
    expect(failed).toMatchObject({ exitCode: 7, error: { code: "task-failed" } });
    expect(await everything()).toEqual(content);
    // What was as the image has it is the engine's to make again.
    const kept = before.filter((line) => !line.endsWith(" /seed"));
    expect(await unnamedOf("vault-db-1")).toEqual(expect.arrayContaining(kept));
    expect(await orphans()).toBe("");
  });

  test("come back after all of them were destroyed, on a restore that is killed and begun again", async () => {
    const folder = path.join(work, "kept");
    await cp(path.join(dir, "vault", "backups", backup), folder, { recursive: true });
    await succeed(["uninstall", "vault", "--yes", "--volumes", "--confirm", "vault"]);
    expect(String((await site.docker(["volume", "ls", "-q"])).stdout)).toBe("vault-shared");
    await site.docker(["volume", "rm", "vault-shared"]);
    await site.docker(["volume", "create", "vault-shared"]);
    await succeed(install("vault 1"));
    await writeFile(path.join(bound, "newer"), "not in the backup");
    const restore = ["restore", "--from", folder, "--yes"];
    for (const moment of ["volume data", "volume db:/state"]) {
      const killed = startInstaller(site, [...restore, "--json", "--dir", dir]);
      await until(killed, `"message":"${moment}"`);
      process.kill(killed.pid as number, "SIGKILL");
      await killed.catch(() => undefined);
    }
    await succeed(restore);
    expect(await everything()).toEqual(content);
    expect(await orphans()).toBe("");
    const { volumes, unnamed } = await succeed(["backup"]);
    expect([...volumes, ...unnamed]).toHaveLength(8);
  });

  test("have what was there before again where a restored stack does not get healthy", async () => {
    await inContainer("vault-db-1", "touch /data/broken");
    expect(await drybagSite(["backup"])).toMatchObject({ exitCode: 7, error: { code: "unhealthy" } });
    const broken = (await backups("vault")).at(-1) as string;
    await inContainer(
      "vault-db-1",
      "rm /data/broken; for each in /shared /bound /log; do echo now >$each/file; done",
    );
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
    await inContainer("vault-db-1", "echo newer >/shared/file");
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
    const before = await unnamedOf("vault-db-1");
    await succeed(["uninstall", "vault", "--yes"]);
    await succeed(install("vault 1"));
    expect(await unnamedOf("vault-db-1")).toEqual(before);
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
      inContainer("vault-db-1", `dd if=/dev/${source} of=/data/large bs=1M count=${mib} 2>&1`);

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
      expect(await backups("vault")).toEqual([backup]);
      expect((await containersOf(site, "vault")).map((line) => line.split(" ")[1])).toEqual(
        before.map((line) => line.split(" ")[1]),
      );
      await succeed(["status"]);
    }
    await inContainer("vault-db-1", "rm /data/large");
    await succeed(["backup"]);
    await execa("umount", [folder]);
    await succeed(["uninstall", "vault", "--yes", "--volumes", "--backups", "--confirm", "vault"]);
    expect(String((await site.docker(["volume", "ls", "-q"])).stdout)).toBe("vault-shared");
  });
});

describe("a dump task", () => {
  const rows = (engine = site) => inContainer("ledger-db-1", "cat /db/rows", engine);

  test("makes a backup of a stack that runs on, and its data is had back on another server", async () => {
    await succeed(install("ledger 1"));
    await inContainer("ledger-db-1", "echo precious >/db/rows");
    const before = await containersOf(site, "ledger");
    const made = await succeed(["backup", "ledger"]);
    expect(made).toMatchObject({ consistency: "dump", dumpTask: "dump", volumes: [], data: true });
    expect(await containersOf(site, "ledger")).toEqual(before);

    const second = { engine: lab.sites.second as Engine, into: path.join(work, "second") };
    await succeed(install("ledger 1"), second);
    const restored = await succeed(["restore", "--from", made.folder, "--yes"], second);
    expect(restored).toMatchObject({ consistency: "dump", dumpTask: "dump" });
    await succeed(["run", "load"], second);
    expect(await rows(second.engine)).toBe("precious");
  });

  test("that fails makes no backup, and stops nothing", async () => {
    const [backup] = await backups("ledger");
    await inContainer("ledger-db-1", "mv /db/rows /db/away");
    const before = await containersOf(site, "ledger");
    expect(await drybagSite(["backup", "ledger"])).toMatchObject({
      exitCode: 7,
      error: { code: "task-failed" },
    });
    expect(await backups("ledger")).toEqual([backup]);
    expect(await containersOf(site, "ledger")).toEqual(before);
    await inContainer("ledger-db-1", "mv /db/away /db/rows");
  });

  test("is not needed for an upgrade, which keeps what is left out otherwise", async () => {
    const failed = await drybagSite(install("ledger 2"));
    expect(failed).toMatchObject({ exitCode: 7, error: { code: "task-failed" } });
    expect(await rows()).toBe("precious");
  });
});
