import { cp, mkdtemp, readdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { buildFixture } from "@drybag/fixtures";
import { type Engine, type Lab, labUp, readLabEnvironment } from "@drybag/lab";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createRepository } from "./support/git-server.ts";
import { startInstaller } from "./support/installer.ts";
import { CORPUS, FIXTURES } from "./support/paths.ts";
import { runDrybag } from "./support/run-programs.ts";

/** frappe_docker's own files and what drybag.yaml adds to them; the images are the fixture's. */
const STACKS = {
  frappe: {
    files: [
      "compose.yaml",
      "overrides/compose.mariadb.yaml",
      "overrides/compose.redis.yaml",
      "overrides/compose.noproxy.yaml",
    ],
    image: "example/erp",
    more: "  envFiles: [example.env]\nsettings: { DB_PASSWORD: { required: true } }",
  },
  // Names its image itself.
  pwd: { files: ["pwd.yml"], image: "frappe/erpnext", more: "" },
};
const SECRET = "not-to-be-seen-9d4";

/** Tasks and the check that the site answers are the recipe's. */
const config = (name: keyof typeof STACKS, version: string) => `
name: ${name}
project:
  files: [${STACKS[name].files.join(", ")}]
${STACKS[name].more}
recipe: frappe
frappe:
  repo: file://${path.join(work, "frappe.git")}
  version: ${version}
  image: ${STACKS[name].image}
  tags: ["{version}"]
  site: frontend
checks:
  page: { http: { service: frontend, port: 8080, host: "\${SITE_NAME}", body: "10260\\\\.00" }, timeout: 3m }
backup: { keep: 2 }
`;

const FRAPPE = "erp/images/frappe-home/frappe-bench/apps/frappe";
const VERSIONS = ["v16.32.3", "v16.33.0", "v16.33.1"];

let lab: Lab;
let work: string;

beforeAll(async () => {
  lab = await labUp({
    name: "frappesite",
    environment: readLabEnvironment(process.env),
    site: { imageStore: "classic" },
    sites: [{ name: "modern", imageStore: "containerd" }],
  });
  work = await mkdtemp(path.join(tmpdir(), "drybag-frappe-"));
  const readme = await readFile(path.join(FIXTURES, FRAPPE, "README.md"), "utf8");
  await createRepository(path.join(work, "frappe.git"), VERSIONS, (version) => frappeAt(version, readme));
});

afterAll(async () => {
  await rm(work, { recursive: true, force: true });
  await lab?.[Symbol.asyncDispose]();
});

/** What the fixture's images have of frappe, as its repository has it at a version. */
function frappeAt(version: string, readme: string): Record<string, string> {
  const release = { version: version.replace(/^v/, ""), broken: null };
  return { "README.md": readme, "release.json": `${JSON.stringify(release, null, 2)}\n` };
}

/** frappe_docker at a version of the images; the name of the broken one is its own. */
async function pack(name: keyof typeof STACKS, version: string, defect?: "migrate"): Promise<string> {
  await buildFixture("erp", { engineEnv: lab.connected.env, version, ...(defect && { breakage: defect }) });
  const project = path.join(work, `${name}-${version}`);
  await cp(path.join(CORPUS, "frappe_docker"), project, { recursive: true });
  const pwd = path.join(project, "pwd.yml");
  await writeFile(pwd, (await readFile(pwd, "utf8")).replaceAll("v16.32.3", version));
  await writeFile(path.join(project, "drybag.yaml"), config(name, version));
  await writeFile(
    path.join(project, "Containerfile"),
    "ARG FRAPPE_BRANCH\nFROM frappe/erpnext:${FRAPPE_BRANCH}\n",
  );
  const output = path.join(work, `out-${name}-${version}`);
  const run = await runDrybag(lab.connected, ["pack", "--json", "--bundle-version", version, "-o", output], {
    cwd: project,
    env: { XDG_CACHE_HOME: path.join(work, "cache") },
  });
  if (run.exitCode !== 0) throw new Error(run.stdout + run.stderr);
  return (JSON.parse(run.stdout) as { directory: string }).directory;
}

function stackOn(site: Engine, dir: string) {
  return async (...args: string[]) => {
    const [command = "", ...rest] = args;
    const run = await startInstaller(site, [command, "--json", "--dir", dir, ...rest]);
    expect(run.stdout + run.stderr).not.toContain(SECRET);
    const result = JSON.parse(run.stdout) as {
      tasks?: { name: string; outcome: string }[];
      checks?: { name: string; state: string }[];
      services?: object[];
      stacks?: object[];
      error?: { code: string; message: string; hint?: string; detail?: string };
    };
    return { exitCode: run.exitCode, ...result };
  };
}

const outcomes = (tasks: { name: string; outcome: string }[] = []) =>
  tasks.map(({ name, outcome }) => `${name} ${outcome}`);

describe.skipIf((await readdir(CORPUS).catch(() => [])).length === 0)("frappe_docker's own files", () => {
  test("the recipe's tasks make a site and look after it; an upgrade that fails in its migration keeps it, the next migrates it", async () => {
    const site = lab.site;
    const dir = path.join(work, "opt");
    const drybagSite = stackOn(site, dir);
    const task = async (...args: string[]) => {
      const { exitCode, tasks, error } = await drybagSite("run", ...args);
      expect(exitCode, JSON.stringify(error)).toBe(0);
      return outcomes(tasks);
    };
    const inBench = async (script: string) =>
      String((await site.docker(["exec", "frappe-backend-1", "sh", "-c", script])).stdout);

    const first = await pack("frappe", "v16.32.3");
    const settings = ["--set", `ADMIN_PASSWORD=${SECRET}`, "--set", "DB_PASSWORD=123"];
    const port = ["--set", "HTTP_PUBLISH_PORT=8089"];
    const installed = await drybagSite("install", first, "--yes", ...settings, ...port);
    expect(installed.exitCode, JSON.stringify(installed.error)).toBe(0);
    expect(outcomes(installed.tasks)).toEqual(["create-site done"]);
    expect(installed.checks).toEqual([
      { name: "ping", state: "200 OK" },
      { name: "page", state: "200 OK" },
    ]);

    const backups = "ls sites/frontend/private/backups";
    expect(await task("uninstall-app", "APP=erpnext")).toEqual(["bench-backup done", "uninstall-app done"]);
    expect(await inBench(`${backups} | sed s/.*-frontend-//`)).toBe(
      "database.sql.gz\nfiles.tar\nprivate-files.tar\nsite_config_backup.json",
    );
    // What was there before, not after.
    expect(await inBench("zcat sites/frontend/private/backups/*-database.sql.gz")).toContain("SINV-00040");
    expect(await inBench("bench --site frontend list-apps")).toBe("frappe 16.32.3");
    expect((await drybagSite("status")).exitCode).toBe(7);
    expect(await task("install-app", "APP=erpnext")).toEqual(["bench-backup done", "install-app done"]);
    expect(await task("list-apps")).toEqual(["list-apps done"]);
    expect(await inBench("bench --site frontend list-apps")).toBe("frappe 16.32.3\nerpnext 16.32.3");
    expect(await task("clear-cache")).toEqual(["clear-cache done"]);
    expect(await task("migrate")).toEqual(["migrate done"]);
    expect(await task("create-site")).toEqual(["create-site not-needed"]);
    expect((await drybagSite("status")).exitCode).toBe(0);

    const failed = await drybagSite("install", await pack("frappe", "v16.33.1", "migrate"), "--yes");
    expect(failed).toMatchObject({ exitCode: 7, error: { code: "task-failed" } });
    expect(failed.error?.hint).toMatch(/^Release v16\.32\.3-.* was started again, is healthy .*put back/);
    expect(await readlink(path.join(dir, "frappe", "current"))).toMatch(/v16\.32\.3-/);
    expect((await drybagSite("status")).exitCode).toBe(0);

    const upgraded = await drybagSite("install", await pack("frappe", "v16.33.0"), "--yes");
    expect(upgraded.exitCode, JSON.stringify(upgraded.error)).toBe(0);
    expect(outcomes(upgraded.tasks)).toEqual(["migrate done"]);
    expect((await drybagSite("status")).exitCode).toBe(0);
    await drybagSite("uninstall", "frappe", "--yes", "--volumes", "--backups", "--confirm", "frappe");
  });

  test("pwd.yml, whose own one-shot makes the site, is upgraded, and that one-shot is seen to do its work again", async () => {
    const site = lab.sites.modern as Engine;
    const drybagSite = stackOn(site, path.join(work, "opt-pwd"));
    const installed = await drybagSite("install", await pack("pwd", "v16.32.3"), "--yes");
    expect(installed.exitCode, JSON.stringify(installed.error)).toBe(0);
    expect(installed).toMatchObject({ tasks: [], checks: [{ name: "ping" }, { name: "page" }] });
    expect(outcomes((await drybagSite("run", "list-apps")).tasks)).toEqual(["list-apps done"]);

    const upgraded = await drybagSite("install", await pack("pwd", "v16.33.0"), "--yes");
    expect(upgraded.exitCode, JSON.stringify(upgraded.error)).toBe(0);
    expect(upgraded).toMatchObject({ tasks: [{ name: "migrate", outcome: "done" }] });
    expect(upgraded.services).toContainEqual(
      expect.objectContaining({ name: "create-site", state: "exited 0", expected: "exits 0" }),
    );
    const { stdout } = await site.docker(["logs", "pwd-create-site-1"]);
    expect(stdout).toContain("already exists, skipping creation");
    expect((await drybagSite("status")).exitCode).toBe(0);
    expect(await drybagSite("doctor")).toMatchObject({ exitCode: 0, stacks: [{ findings: [] }] });
  });
});
