import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { buildFixture } from "@drybag/fixtures";
import { type Engine, type Lab, labUp, readLabEnvironment } from "@drybag/lab";
import { afterAll, beforeAll, expect, test } from "vitest";
import { httpGet, runDrybag, runInstallScript } from "../support/run-programs.ts";

/** A stack of which a script that saves `docker compose config --images` forgets three things. */
const FILES: Record<string, string> = {
  "compose.yaml": `
services:
  web:
    image: drybag/hello-web:1.0.0
    restart: unless-stopped
    entrypoint: [httpd, -f, -p, "8080", -c, /etc/httpd.conf, -h, /srv]
    env_file: [one.env, settings/two.env]
    ports: ["8091:8080"]
    volumes:
      - ./config/httpd.conf:/etc/httpd.conf:ro
      - ./content:/srv/content:ro
    healthcheck:
      test: [CMD-SHELL, test "$$TWO" = 2 && wget -q -O /dev/null http://127.0.0.1:8080/content/hello.txt]
      interval: 1s
      retries: 5
  report:
    image: drybag/hello-task:1.0.0
    entrypoint: [echo, "a report"]
    restart: "no"
    profiles: [reports]
`,
  "one.env": "ONE=1\n",
  "settings/two.env": "TWO=2\n",
  "config/httpd.conf": "A:*\n",
  "content/hello.txt": "carried\n",
};

let lab: Lab;
let work: string;
let project: string;

beforeAll(async () => {
  lab = await labUp({
    name: "forgotten",
    environment: readLabEnvironment(process.env),
    sites: [{ name: "naive" }],
  });
  await buildFixture("hello", { engineEnv: lab.connected.env });
  work = await mkdtemp(path.join(tmpdir(), "drybag-forgotten-"));
  project = path.join(work, "shop");
  for (const [name, content] of Object.entries(FILES)) {
    await mkdir(path.dirname(path.join(project, name)), { recursive: true });
    await writeFile(path.join(project, name), content);
  }
});
afterAll(async () => {
  await rm(work, { recursive: true, force: true });
  await lab?.[Symbol.asyncDispose]();
});

const report = (site: Engine, cwd: string) =>
  site.exec(["docker", "compose", "--profile", "reports", "run", "--rm", "report"], { cwd, reject: false });

test("a naive script forgets the second env file, the bind mount and the image of a profile", async () => {
  const site = lab.sites.naive as Engine;
  const stick = path.join(work, "naive");
  await mkdir(stick);
  const { stdout } = await lab.connected.docker(["compose", "config", "--images"], { cwd: project });
  await lab.connected.docker(["save", "-o", path.join(stick, "images.tar"), ...String(stdout).split("\n")]);
  for (const name of ["compose.yaml", "one.env"]) await cp(path.join(project, name), path.join(stick, name));

  await site.docker(["load", "-i", path.join(stick, "images.tar")]);
  const up = await site.exec(["docker", "compose", "up", "-d"], { cwd: stick, reject: false });
  expect(String(up.stderr)).toMatch(/two\.env/);
  await mkdir(path.join(stick, "settings"));
  await cp(path.join(project, "settings/two.env"), path.join(stick, "settings/two.env"));
  const again = await site.exec(["docker", "compose", "up", "-d", "--wait"], { cwd: stick, reject: false });
  expect(again.exitCode).not.toBe(0);
  expect((await report(site, stick)).exitCode).not.toBe(0);
  await site.exec(["docker", "compose", "down", "--volumes"], { cwd: stick });
});

test("Drybag brings all of it", async () => {
  const pack = await runDrybag(lab.connected, ["pack", "--json", "-o", path.join(work, "out")], {
    cwd: project,
    env: { XDG_CACHE_HOME: path.join(work, "cache") },
  });
  expect(pack).toMatchObject({ exitCode: 0 });
  const { directory } = JSON.parse(pack.stdout) as { directory: string };
  const dir = path.join(work, "opt");
  const install = await runInstallScript(lab.site, directory, ["--yes", "--dir", dir], { cwd: "/" });
  expect(install).toMatchObject({ exitCode: 0 });
  const { status, body } = await httpGet(lab.site, "http://127.0.0.1:8091/content/hello.txt");
  expect([status, body]).toEqual([200, "carried\n"]);
  const ran = await report(lab.site, path.join(dir, "shop", "current"));
  expect(String(ran.stdout)).toBe("a report");
});
