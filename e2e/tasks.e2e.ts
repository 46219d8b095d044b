import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Engine } from "@drybag/lab";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Gap } from "./support/gap.ts";
import { interrupt, startInstaller } from "./support/installer.ts";

const SECRET = "not-to-be-seen-5f2";

const COMPOSE = `
services:
  app:
    image: drybag/hello-task:1.0.0
    entrypoint: [sh]
    command: [-c, "echo ready; exec httpd -f -p 8080 -h /data"]
    volumes: ["data:/data"]
    stop_grace_period: 0s
    healthcheck: { test: [CMD, "true"], interval: 1s }
  closed:
    image: drybag/hello-task:1.0.0
    entrypoint: [httpd, -f, -p, "8080", -h, /tmp]
    network_mode: none
    stop_grace_period: 0s
    healthcheck: { test: [CMD, "true"], interval: 1s }
volumes:
  data:
`;

const CONFIG = `
settings:
  SITE: { description: Name of the site, type: hostname }
tasks:
  create:
    when: first-install
    service: app
    command: 'set -e; test ! -e /data/index.html; echo "site \${SITE} key \${API_KEY}" >/data/index.html; echo "made with \${API_KEY}"'
    settings: [SITE, API_KEY]
    once: true
  note: { when: first-install, service: closed, mode: exec, command: [echo, noted], before: [fill] }
  fill:
    service: app
    mode: run
    command: [-c, 'echo "$GREETING $0 $PWD \${SITE}" >/data/filled', argument]
    environment: { GREETING: hello }
    workingDirectory: /data
    settings: [SITE]
    unless: [-c, test -e /data/filled]
  say: { description: Says a word, service: app, command: 'echo "word: $WORD"; echo "$API_KEY"; test -n "$WORD"', arguments: [WORD], settings: [API_KEY] }
  slow: { service: app, command: 'echo begun; sleep 1001; echo never', timeout: 3s }
  slow-run: { service: app, mode: run, command: [-c, 'echo begun; sleep 1002'], timeout: 5s }
  endless: { service: app, command: 'echo begun; sleep 1003' }
checks:
  page: { http: { service: app, port: 8080, path: /index.html, host: "\${SITE}", body: "^site erp.example " }, timeout: 20s }
  open: { tcp: { service: app, port: 8080 } }
  file: { exec: { service: app, command: [test, -s, /data/filled] } }
  log: { log: { service: app, pattern: ^ready$ } }
  inside: { http: { service: closed, port: 8080, path: /none, status: 404, body: Not Found } }
  inside-tcp: { tcp: { service: closed, port: 8080 } }
`;

let gap: Gap;
let site: Engine;
let dir: string;
let folder: string;

beforeAll(async () => {
  gap = await Gap.open("tasks");
  ({ site, dir } = gap);
  folder = await gap.pack("stack", "1", { "compose.yaml": COMPOSE, "drybag.yaml": CONFIG });
});

afterAll(() => gap?.[Symbol.asyncDispose]());

async function drybagSite<Result = Record<string, unknown>>(...args: string[]) {
  const outcome = await gap.drybagSite<Result>(args);
  expect(outcome.stdout + outcome.stderr).not.toContain(SECRET);
  return outcome;
}

const answers = ["--set", "SITE=erp.example", "--set", `API_KEY=${SECRET}`];
const inApp = async (script: string) =>
  (await site.docker(["exec", "stack-app-1", "sh", "-c", script])).stdout as string;
const processes = async (container: string) =>
  String((await site.docker(["top", container, "-eo", "pid,args"])).stdout);
const oneOffs = async () =>
  (await site.docker(["ps", "-aq", "--filter", "label=com.docker.compose.oneoff=True"])).stdout;
const lastJournalLine = async () =>
  (await readFile(path.join(dir, "stack", "journal.ndjson"), "utf8")).trimEnd().split("\n").at(-1);
const logOf = async (task: string) => {
  const logs = path.join(dir, "stack", "current", "tasks");
  const name = (await readdir(logs)).findLast((each) => each.endsWith(`Z-${task}.log`)) ?? "none";
  return readFile(path.join(logs, name), "utf8");
};

test("a setting that only a task has must be given", async () => {
  const refused = await drybagSite("install", folder, "--yes", "--set", "SITE=erp.example");
  expect(refused).toMatchObject({ exitCode: 3, error: { code: "setting-missing" } });
  expect(JSON.stringify(refused.error)).toContain("API_KEY");
});

test("a first install that fails in a task is told, and goes on from there", async () => {
  await mkdir(dir, { recursive: true });
  // The data of somebody else stands in the way of the task.
  const volume = ["volume", "create", "--label", "com.docker.compose.project=stack"];
  await site.docker([...volume, "--label", "com.docker.compose.volume=data", "stack_data"]);
  const run = [
    "run",
    "--rm",
    "-v",
    "stack_data:/data",
    "--entrypoint",
    "sh",
    "drybag/hello-task:1.0.0",
    "-c",
  ];
  await loadImage();
  await site.docker([...run, "echo old >/data/index.html"]);
  const failed = await drybagSite("install", folder, "--yes", ...answers);
  expect(failed).toMatchObject({
    exitCode: 7,
    error: { code: "task-failed", message: "The task create ended with exit code 1." },
  });
  await site.docker([...run, "rm /data/index.html"]);
  const done = await drybagSite<{ tasks: { name: string; outcome: string }[]; checks: object[] }>(
    ...["install", folder, "--yes"],
  );
  expect(done.exitCode, JSON.stringify(done.error)).toBe(0);
  expect(done.tasks.map(({ name, outcome }) => `${name} ${outcome}`)).toEqual([
    "create done",
    "fill done",
    "note done",
  ]);
  expect(done.checks).toEqual([
    { name: "page", state: "200 OK" },
    { name: "open", state: "open" },
    { name: "file", state: "exit code 0" },
    { name: "log", state: "found" },
    { name: "inside", state: "404 Not Found" },
    { name: "inside-tcp", state: "open" },
  ]);
  expect(await inApp("cat /data/index.html /data/filled")).toBe(
    `site erp.example key ${SECRET}\nhello argument /data erp.example`,
  );
  expect(await logOf("create")).toBe("made with (hidden)\n");
  expect(await oneOffs()).toBe("");
});

async function loadImage(): Promise<void> {
  const { stdout } = await gap.connected.docker(["save", "drybag/hello-task:1.0.0"], { encoding: "buffer" });
  const archive = path.join(gap.work, "image.tar");
  await writeFile(archive, stdout as unknown as Buffer);
  await site.docker(["load", "-i", archive]);
}

test("tasks of the first install do not run again, and status tries the checks", async () => {
  const again = await drybagSite<{ tasks: object[]; checks: object[] }>("install", folder, "--yes");
  expect(again).toMatchObject({ exitCode: 0, tasks: [] });
  expect(again.checks).toHaveLength(6);
  const { stacks } = await drybagSite<{ stacks: { healthy: boolean; checks: { ok: boolean }[] }[] }>(
    "status",
  );
  expect(stacks[0]).toMatchObject({ healthy: true });
  expect(stacks[0]?.checks.every(({ ok }) => ok)).toBe(true);
  await inApp("echo broken >/data/index.html");
  const broken = await drybagSite<{ stacks: object[] }>("status");
  expect(broken.exitCode).toBe(7);
  expect(broken.stacks[0]).toMatchObject({
    healthy: false,
    checks: [
      { ok: false, state: "200 OK", detail: "the body does not match ^site erp.example ; body: broken" },
      { ok: true },
      { ok: true },
      { ok: true },
      { ok: true },
      { ok: true },
    ],
  });
});

test("a check that stays bad makes an install unhealthy", async () => {
  const failed = await drybagSite("install", folder, "--yes");
  expect(failed).toMatchObject({
    exitCode: 7,
    error: { code: "unhealthy", message: "The stack runs, but does not do its work: page." },
  });
  expect(failed.error?.detail).toContain("body: broken");
  await inApp(`echo "site erp.example key ${SECRET}" >/data/index.html`);
});

test("run takes arguments, hides secrets, and says what a task lacks", async () => {
  const said = await startInstaller(site, ["run", "say", "WORD=a b", "--dir", dir]);
  expect(said).toMatchObject({ exitCode: 0, stdout: "word: a b\n(hidden)" });
  const failed = await drybagSite("run", "say", "WORD=");
  expect(failed).toMatchObject({ exitCode: 7, error: { code: "task-failed" } });
  expect(failed.error?.detail).toContain("| word: ");
  expect(await drybagSite("run", "say")).toMatchObject({ exitCode: 2, error: { code: "usage" } });
  expect(await drybagSite("run", "say", "WORD=x", "X=y")).toMatchObject({ exitCode: 2 });
  expect(await drybagSite("run", "sya")).toMatchObject({
    exitCode: 6,
    error: { code: "task-not-found", hint: "Did you mean say?" },
  });
  expect(await drybagSite("run", "create")).toMatchObject({ tasks: [{ outcome: "done-before" }] });
  expect(await drybagSite("run", "note")).toMatchObject({
    tasks: [{ name: "fill", outcome: "not-needed" }, { outcome: "done" }],
  });
  const { stacks } = await drybagSite<{ stacks: { tasks: object[] }[] }>("tasks");
  expect(stacks[0]?.tasks[3]).toMatchObject({ name: "say", arguments: ["WORD"], when: ["on-demand"] });
});

test("a task that takes too long is ended, in its container too", async () => {
  const slow = await drybagSite("run", "slow");
  expect(slow).toMatchObject({ exitCode: 7, error: { code: "task-failed" } });
  expect(slow.error?.message).toContain("did not end within 3");
  expect(slow.error?.detail).toContain("| begun");
  expect(await processes("stack-app-1")).not.toContain("sleep 1001");
  expect(await drybagSite("run", "slow-run")).toMatchObject({ exitCode: 7, error: { code: "task-failed" } });
  expect(await oneOffs()).toBe("");
});

test("Ctrl-C ends the task; killed outright, the next command does", async () => {
  const begun = (run: ReturnType<typeof startInstaller>) =>
    new Promise<void>((resolve, reject) => {
      run.stdout.on("data", (chunk: Buffer) => {
        if (chunk.toString().includes("begun")) resolve();
      });
      run.then(() => reject(new Error("it ended")), reject);
    });
  const stopped = startInstaller(site, ["run", "endless", "--dir", dir]);
  await begun(stopped);
  expect(await interrupt(stopped)).toBeLessThan(20_000);
  expect(await processes("stack-app-1")).not.toContain("sleep 1003");

  const killed = startInstaller(site, ["run", "endless", "--dir", dir]);
  await begun(killed);
  await expect.poll(() => lastJournalLine(), { timeout: 30_000 }).toMatch(/"step":"task-started".*"pid":\d/);
  process.kill(killed.pid as number, "SIGKILL");
  await killed.catch(() => undefined);
  expect(await processes("stack-app-1")).toContain("sleep 1003");
  expect((await drybagSite("run", "say", "WORD=x")).exitCode).toBe(0);
  expect(await processes("stack-app-1")).not.toContain("sleep 1003");
});
