import { cp, mkdtemp, readdir, readlink, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { buildFixture } from "@drybag/fixtures";
import { type Engine, type Lab, labUp, readLabEnvironment } from "@drybag/lab";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startInstaller } from "./support/installer.ts";
import { CORPUS } from "./support/paths.ts";
import { runDrybag } from "./support/run-programs.ts";

/** frappe_docker's own files and what drybag.yaml adds to them; the images are the fixture's. */
const FILES = {
  frappe: [
    "compose.yaml",
    "overrides/compose.mariadb.yaml",
    "overrides/compose.redis.yaml",
    "overrides/compose.noproxy.yaml",
  ],
  pwd: ["pwd.yml"],
};
const SECRET = "not-to-be-seen-9d4";

const config = (name: keyof typeof FILES) => `
name: ${name}
project:
  files: [${FILES[name].join(", ")}]
  ${name === "frappe" ? "envFiles: [example.env]" : ""}
settings:
  SITE_NAME: { type: hostname, default: frontend }
  ${name === "frappe" ? "DB_PASSWORD: { required: true }" : ""}
tasks:
  ${
    name === "frappe"
      ? `create-site:
    when: first-install
    service: backend
    once: true
    unless: 'test -d "sites/$SITE_NAME"'
    command: 'bench new-site --db-root-password "$DB_PASSWORD" --admin-password "$ADMIN_PASSWORD" "$SITE_NAME"'
    settings: [SITE_NAME, DB_PASSWORD, ADMIN_PASSWORD]
  install-app:
    when: first-install
    service: backend
    once: true
    command: 'bench --site "$SITE_NAME" install-app erpnext'
    settings: [SITE_NAME]`
      : `list-apps: { service: backend, command: 'bench --site "$SITE_NAME" list-apps', settings: [SITE_NAME] }`
  }
  migrate: { when: after-upgrade, service: backend, command: 'bench --site "$SITE_NAME" migrate', settings: [SITE_NAME] }
checks:
  ping: { http: { service: frontend, port: 8080, path: /api/method/ping, host: "\${SITE_NAME}", body: pong } }
  page: { http: { service: frontend, port: 8080, host: "\${SITE_NAME}", body: "10260\\\\.00" }, timeout: 3m }
backup: { keep: 2 }
`;

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
});

afterAll(async () => {
  await rm(work, { recursive: true, force: true });
  await lab?.[Symbol.asyncDispose]();
});

/** frappe_docker at a version of the images; the name of the broken one is its own. */
async function pack(name: keyof typeof FILES, version: string, defect?: "migrate" | "web"): Promise<string> {
  await buildFixture("erp", { engineEnv: lab.connected.env, version, ...(defect && { breakage: defect }) });
  const project = path.join(work, `${name}-${version}`);
  await cp(path.join(CORPUS, "frappe_docker"), project, { recursive: true });
  await writeFile(path.join(project, "drybag.yaml"), config(name));
  const output = path.join(work, `out-${name}-${version}`);
  const run = await runDrybag(lab.connected, ["pack", "--json", "--bundle-version", version, "-o", output], {
    cwd: project,
    env: { XDG_CACHE_HOME: path.join(work, "cache"), ERPNEXT_VERSION: version, PULL_POLICY: "missing" },
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
      error?: { code: string; message: string; hint?: string; detail?: string };
    };
    return { exitCode: run.exitCode, ...result };
  };
}

describe.skipIf((await readdir(CORPUS).catch(() => [])).length === 0)("frappe_docker's own files", () => {
  test("a site is made and its app installed, kept by an upgrade that fails in its migration, and migrated by the next", async () => {
    const site = lab.site;
    const dir = path.join(work, "opt");
    const drybagSite = stackOn(site, dir);
    const bench = async (...args: string[]) =>
      String(
        (await site.docker(["exec", "frappe-backend-1", "bench", "--site", "frontend", ...args])).stdout,
      );

    const first = await pack("frappe", "v16.32.3");
    const settings = ["--set", `ADMIN_PASSWORD=${SECRET}`, "--set", "DB_PASSWORD=123"];
    const installed = await drybagSite(
      "install",
      first,
      "--yes",
      ...settings,
      "--set",
      "HTTP_PUBLISH_PORT=8089",
    );
    expect(installed.exitCode, JSON.stringify(installed.error)).toBe(0);
    expect(installed.tasks?.map(({ name, outcome }) => `${name} ${outcome}`)).toEqual([
      "create-site done",
      "install-app done",
    ]);
    expect(installed.checks).toEqual([
      { name: "ping", state: "200 OK" },
      { name: "page", state: "200 OK" },
    ]);
    expect(await bench("list-apps")).toMatch(/erpnext/);

    const failed = await drybagSite("install", await pack("frappe", "v16.33.1", "migrate"), "--yes");
    expect(failed).toMatchObject({ exitCode: 7, error: { code: "task-failed" } });
    expect(failed.error?.hint).toMatch(/^Release v16\.32\.3-.* was started again, is healthy .*put back/);
    expect(await readlink(path.join(dir, "frappe", "current"))).toMatch(/v16\.32\.3-/);
    expect((await drybagSite("status")).exitCode).toBe(0);

    const upgraded = await drybagSite("install", await pack("frappe", "v16.33.0"), "--yes");
    expect(upgraded.exitCode, JSON.stringify(upgraded.error)).toBe(0);
    expect(upgraded.tasks?.map(({ name }) => name)).toEqual(["migrate"]);
    expect((await drybagSite("status")).exitCode).toBe(0);
    await drybagSite("uninstall", "frappe", "--yes", "--volumes", "--backups", "--confirm", "frappe");
  });

  test("pwd.yml, whose own one-shot makes the site, is seen to do its work, and its tasks run", async () => {
    const site = lab.sites.modern as Engine;
    const drybagSite = stackOn(site, path.join(work, "opt-pwd"));
    const installed = await drybagSite("install", await pack("pwd", "v16.32.3"), "--yes");
    expect(installed.exitCode, JSON.stringify(installed.error)).toBe(0);
    expect(installed).toMatchObject({ tasks: [], checks: [{ name: "ping" }, { name: "page" }] });
    expect((await drybagSite("run", "list-apps")).tasks).toMatchObject([{ outcome: "done" }]);
    expect((await drybagSite("run", "migrate")).tasks).toMatchObject([{ outcome: "done" }]);
    expect((await drybagSite("status")).exitCode).toBe(0);
  });
});
