import { readdir } from "node:fs/promises";
import path from "node:path";
import type { Engine } from "@drybag/lab";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Gap } from "../support/gap.ts";
import { containersOf } from "../support/installer.ts";

/** A database that is dumped into a folder that all releases share, and that cannot be copied while it runs. */
const COMPOSE = `
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

const CONFIG = `
tasks:
  dump: { service: db, command: [cp, /db/rows, /dumps/rows.sql] }
  load: { service: db, command: [cp, /dumps/rows.sql, /db/rows] }
  spoil: { when: after-upgrade, service: db, command: 'echo spoilt >/db/rows; exit 1' }
backup: { exclude: [db], dumpTask: dump }
`;

let gap: Gap;
let site: Engine;
let dir: string;
const folders: Record<string, string> = {};

beforeAll(async () => {
  gap = await Gap.open("dump-task", { sites: [{ name: "second", imageStore: "containerd" }] });
  ({ site, dir } = gap);
  const files = { "compose.yaml": COMPOSE, "drybag.yaml": CONFIG, "dumps/": "" };
  for (const version of ["1", "2"]) folders[version] = await gap.pack("ledger", version, files);
});

afterAll(() => gap?.[Symbol.asyncDispose]());

interface Result {
  folder: string;
}

const drybagSite = (args: readonly string[], on: Parameters<typeof gap.drybagSite>[1] = {}) =>
  gap.drybagSite<Result>(args, on);

async function succeed(args: readonly string[], on: Parameters<typeof drybagSite>[1] = {}) {
  const outcome = await drybagSite(args, on);
  expect(outcome.exitCode, JSON.stringify(outcome.error)).toBe(0);
  return outcome;
}

const install = (version: string) => ["install", folders[version] ?? "", "--yes"];
const inDb = async (script: string, engine = site) =>
  String((await engine.docker(["exec", "ledger-db-1", "sh", "-c", script])).stdout);
const rows = (engine = site) => inDb("cat /db/rows", engine);
const backups = async () => (await readdir(path.join(dir, "ledger", "backups"))).sort();

test("a dump task makes a backup of a stack that runs on, and its data is had back on another server", async () => {
  await succeed(install("1"));
  await inDb("echo precious >/db/rows");
  const before = await containersOf(site, "ledger");
  const made = await succeed(["backup"]);
  expect(made).toMatchObject({ consistency: "dump", dumpTask: "dump", volumes: [], data: true });
  expect(await containersOf(site, "ledger")).toEqual(before);

  const second = { engine: gap.siteNamed("second"), dir: path.join(gap.work, "second") };
  await succeed(install("1"), second);
  const restored = await succeed(["restore", "--from", made.folder, "--yes"], second);
  expect(restored).toMatchObject({ consistency: "dump", dumpTask: "dump" });
  await succeed(["run", "load"], second);
  expect(await rows(second.engine)).toBe("precious");
});

test("a dump task that fails makes no backup, and stops nothing", async () => {
  const [backup] = await backups();
  await inDb("mv /db/rows /db/away");
  const before = await containersOf(site, "ledger");
  expect(await drybagSite(["backup"])).toMatchObject({
    exitCode: 7,
    error: { code: "task-failed" },
  });
  expect(await backups()).toEqual([backup]);
  expect(await containersOf(site, "ledger")).toEqual(before);
  await inDb("mv /db/away /db/rows");
});

test("a dump task is not needed for an upgrade, which keeps what is left out otherwise", async () => {
  const failed = await drybagSite(install("2"));
  expect(failed).toMatchObject({ exitCode: 7, error: { code: "task-failed" } });
  expect(await rows()).toBe("precious");
});
