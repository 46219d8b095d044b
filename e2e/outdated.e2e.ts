import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Engine, type Lab, labUp, readLabEnvironment } from "@drybag/lab";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createRepository, type GitServer, startGitServer } from "./support/git-server.ts";
import { DRYBAG } from "./support/paths.ts";

const TOKEN = "tok3n-of-the-test";

interface Item {
  kind: string;
  name: string;
  current: string;
  newer: Record<string, string> | null;
  moved: { from: string; to: string; isPinned: boolean } | null;
  places: { file: string; line: number; column: number }[];
  problem?: { code: string; message: string };
}

let lab: Lab;
let engine: Engine;
let work: string;
let git: GitServer;
let hrms: Record<string, string>;
let FILES: Record<string, string>;

beforeAll(async () => {
  lab = await labUp({ name: "outdated", environment: readLabEnvironment(process.env) });
  engine = lab.connected;
  work = await mkdtemp(path.join(tmpdir(), "drybag-outdated-"));
  await importImage("first", "mariadb:11.8");
  const tags = {
    redis: ["8.6-alpine", "8.8-alpine", "9.0-alpine", "9.1", "latest"],
    mariadb: ["11.8", "11.10", "12.0", "12.1-rc"],
  };
  for (const [name, versions] of Object.entries(tags)) {
    for (const version of versions) {
      if (`${name}:${version}` !== "mariadb:11.8") await tagImage("mariadb:11.8", `${name}:${version}`);
      await lab.publish(`${name}:${version}`);
    }
  }
  const repositories = path.join(work, "git");
  await mkdir(path.join(repositories, "private"), { recursive: true });
  await createRepository(path.join(repositories, "frappe.git"), [
    "v16.1.0",
    "v16.1.2",
    "v16.2.0",
    "v17.0.0-beta.1",
  ]);
  await createRepository(path.join(repositories, "erpnext.git"), ["v16.32.3", "v16.33.0", "v15.99.0"]);
  hrms = await createRepository(path.join(repositories, "private/hrms.git"), [
    "v16.1.0",
    "v16.1.1",
    "v17.0.0",
  ]);
  git = await startGitServer(engine, repositories, TOKEN);
  FILES = {
    "compose.yaml": `# The stack.
services:
  cache:
    image: "redis:\${REDIS_VERSION:-7.0}-alpine"   # a cache
  db:
    image: mariadb:11.8
  erp:
    image: \${CUSTOM_IMAGE:-frappe/erpnext}:\${CUSTOM_TAG:-v16.32.3}
`,
    ".env": "# Versions\nexport REDIS_VERSION='8.6'  # of the cache\nOTHER=8.6\n",
    "drybag.yaml": `recipe: frappe
frappe:
  repo: ${git.url}/frappe.git
  version: v16.1.0   # frappe itself
  apps: apps.json
`,
    "apps.json": `[
  { "url": "${git.url}/erpnext.git", "branch": "v16.32.3" },
  {
    "url": "${git.url.replace("//", "//x:${HRMS_TOKEN}@")}/private/hrms.git",
      "tag": "v16.1.0",
    "commit": "${hrms["v16.1.0"]}"
  }
]
`,
  };
});

afterAll(async () => {
  await git?.[Symbol.asyncDispose]();
  await rm(work, { recursive: true, force: true });
  await lab?.[Symbol.asyncDispose]();
});

async function importImage(content: string, tag: string): Promise<void> {
  const folder = await mkdtemp(path.join(work, "image-"));
  await writeFile(path.join(folder, "content"), content);
  await execa("tar", ["--create", "--file", `${folder}.tar`, "--directory", folder, "content"]);
  await engine.docker(["import", `${folder}.tar`, tag]);
}

async function tagImage(source: string, tag: string): Promise<void> {
  await engine.docker(["image", "tag", source, tag]);
}

async function writeProject(): Promise<string> {
  const folder = await mkdtemp(path.join(work, "project-"));
  for (const [name, text] of Object.entries(FILES)) await writeFile(path.join(folder, name), text);
  return folder;
}

/** Runs the built drybag where the registry and the repositories can be reached. */
async function drybag(
  cwd: string,
  args: readonly string[],
  env: Record<string, string> = { HRMS_TOKEN: TOKEN },
) {
  const { exitCode, stdout, stderr } = await engine.exec([process.execPath, "--", DRYBAG, ...args], {
    ...{ cwd, env, reject: false, stdin: "ignore" },
  });
  expect(`${stdout}${stderr}`).not.toContain(TOKEN);
  return { exitCode, stdout: String(stdout), stderr: String(stderr) };
}

async function outdated(cwd: string, args: readonly string[] = [], env?: Record<string, string>) {
  const run = await drybag(cwd, ["outdated", "--json", ...args], env);
  const { items } = JSON.parse(run.stdout) as { items: Item[] };
  return { ...run, items, item: (name: string) => items.find((item) => item.name === name) };
}

describe("outdated", () => {
  test("shows newer tags of frappe, apps and images, of the same shape, with the places of the present ones", async () => {
    const cwd = await writeProject();
    const { exitCode, items } = await outdated(cwd);
    expect(exitCode).toBe(0);
    const at = (file: string, line: number, column: number) => [{ file: path.join(cwd, file), line, column }];
    expect(items).toMatchObject([
      {
        ...{ kind: "frappe", name: "frappe", current: "v16.1.0" },
        newer: { patch: "v16.1.2", minor: "v16.2.0" },
        places: at("drybag.yaml", 4, 12),
      },
      {
        kind: "app",
        name: "erpnext",
        newer: { minor: "v16.33.0" },
        places: at("apps.json", 2, expect.any(Number) as never),
      },
      {
        kind: "app",
        name: "hrms",
        newer: { patch: "v16.1.1", major: "v17.0.0" },
        places: at("apps.json", 5, 14),
      },
      {
        ...{ kind: "image", name: "mariadb", current: "11.8" },
        newer: { minor: "11.10", major: "12.0" },
        places: at("compose.yaml", 6, 12),
      },
      {
        ...{ kind: "image", name: "redis", current: "8.6-alpine" },
        newer: { minor: "8.8-alpine", major: "9.0-alpine" },
        places: at(".env", 2, 22),
      },
    ]);
    expect((await drybag(cwd, ["outdated", "--exit-code"])).exitCode).toBe(9);
  });

  test("tells what could not be asked for, and shows the rest", async () => {
    const cwd = await writeProject();
    const without = await outdated(cwd, [], {});
    expect(without).toMatchObject({ exitCode: 8 });
    expect(without.item("hrms")?.problem).toMatchObject({ code: "token-missing" });
    const wrong = await outdated(cwd, [], { HRMS_TOKEN: "wr0ng-token" });
    expect(wrong.item("hrms")?.problem).toMatchObject({ code: "repository-refused" });
    expect(wrong.stdout).not.toContain("wr0ng-token");
    expect(wrong.item("redis")?.newer).toMatchObject({ minor: "8.8-alpine" });
  });

  test("tells of a tag that is another image now than the one here", async () => {
    const cwd = await writeProject();
    await engine.docker(["image", "rm", "mariadb:11.8"]);
    await engine.docker(["pull", "--quiet", "mariadb:11.8"]);
    expect((await outdated(cwd)).item("mariadb")?.moved).toBeNull();
    await importImage("second", "moved:1");
    await tagImage("moved:1", "mariadb:11.8");
    await lab.publish("mariadb:11.8");
    await engine.docker(["image", "rm", "mariadb:11.8"]);
    // As another machine had published it: here is still what was pulled before.
    await engine.docker(["pull", "--quiet", "mariadb:11.10"]);
    const { stdout } = await engine.docker([
      "image",
      "inspect",
      "--format",
      "{{index .RepoDigests 0}}",
      "mariadb:11.10",
    ]);
    await tagImage("mariadb:11.10", "mariadb:11.8");
    const digest = String(stdout).replace(/^.*@/, "");
    const { moved } = (await outdated(cwd)).item("mariadb") ?? {};
    expect(moved).toMatchObject({ from: digest, isPinned: false });
    expect(moved?.to).not.toBe(digest);
  });
});

describe("bump", () => {
  test("--dry-run shows a diff and writes nothing", async () => {
    const cwd = await writeProject();
    const run = await drybag(cwd, ["bump", "--dry-run"]);
    expect(run).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining("-    image: mariadb:11.8\n+    image: mariadb:11.10"),
    });
    for (const [name, text] of Object.entries(FILES))
      expect(await readFile(path.join(cwd, name), "utf8")).toBe(text);
  });

  test("writes into every kind of file, and changes only the tags", async () => {
    const cwd = await writeProject();
    expect(await drybag(cwd, ["bump"])).toMatchObject({ exitCode: 0 });
    const expected = {
      "compose.yaml": FILES["compose.yaml"]?.replace("mariadb:11.8", "mariadb:11.10"),
      ".env": FILES[".env"]?.replace("'8.6'", "'8.8'"),
      "drybag.yaml": FILES["drybag.yaml"]?.replace("v16.1.0", "v16.2.0"),
      "apps.json": FILES["apps.json"]
        ?.replace("v16.32.3", "v16.33.0")
        .replace('"v16.1.0"', '"v16.1.1"')
        .replace(String(hrms["v16.1.0"]), String(hrms["v16.1.1"])),
    };
    for (const [name, text] of Object.entries(expected))
      expect(await readFile(path.join(cwd, name), "utf8")).toBe(text);
    const { stdout } = await engine.docker(["compose", "config", "--images"], { cwd });
    expect(String(stdout).split("\n").sort()).toEqual([
      "frappe/erpnext:v16.32.3",
      "mariadb:11.10",
      "redis:8.8-alpine",
    ]);
    const left = await outdated(cwd);
    expect(left.items.map(({ name, newer }) => [name, newer])).toEqual([
      ["frappe", {}],
      ["erpnext", {}],
      ["hrms", { major: "v17.0.0" }],
      ["mariadb", { major: "12.0" }],
      ["redis", { major: "9.0-alpine" }],
    ]);
  });

  test("takes names, steps and a tag", async () => {
    const cwd = await writeProject();
    const change = async (...args: string[]) => {
      const { stdout } = await drybag(cwd, ["bump", "--json", "--dry-run", ...args]);
      const { changes } = JSON.parse(stdout) as { changes: { name: string; to: string }[] };
      return changes.map(({ name, to }) => `${name} ${to}`);
    };
    expect(await change("--major", "cache", "frappe")).toEqual(["frappe v16.2.0", "redis 9.0-alpine"]);
    expect(await change("--patch")).toEqual(["frappe v16.1.2", "hrms v16.1.1"]);
    expect(await change("erpnext", "--to", "v15.99.0")).toEqual(["erpnext v15.99.0"]);
    const unknown = await drybag(cwd, ["bump", "erpnext", "--to", "v9"]);
    expect(unknown).toMatchObject({ exitCode: 8, stderr: expect.stringContaining("[tag-not-found]") });
  });
});
