import { chmod, mkdir, readdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { startInstaller } from "../support/installer.ts";
import { Releases, SECRET } from "./releases.ts";

let releases: Releases;

beforeAll(async () => {
  releases = await Releases.open("rel-observe", { site: { imageStore: "containerd" } });
  await releases.packRelease("1");
  await releases.installFirst("1");
});

afterAll(() => releases?.[Symbol.asyncDispose]());

test("logs shows what a service wrote, and refuses one that there is not", async () => {
  const unknown = await startInstaller(releases.site, ["logs", "--service", "ap", "--dir", releases.dir]);
  expect(unknown.exitCode).toBe(6);
  expect(unknown.stderr).toMatch(/no service ap\. \[service-not-found\]\n→ Did you mean app\?/);
  const shown = await startInstaller(releases.site, ["logs", "--service", "app", "--dir", releases.dir]);
  expect(shown).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("started 1") });
});

test("doctor has nothing to say of what is as it was installed, and names everything that is not", async () => {
  type Examined = { stacks: { ok: boolean; findings: { code: string; message: string }[] }[] };
  const doctor = async () => {
    const { exitCode, stacks } = await releases.run<Examined>("doctor");
    return { exitCode, codes: stacks[0]?.findings.map(({ code }) => code).sort() };
  };
  expect(await doctor()).toEqual({ exitCode: 0, codes: [] });
  const release = path.join(releases.dir, "stack", "current");
  const [offline, compose] = ["compose.offline.yaml", "project/compose.yaml"].map((name) =>
    path.join(release, name),
  );
  const packed = await readFile(offline as string, "utf8");
  await writeFile(offline as string, packed.replace("pull_policy: never", "pull_policy: always"));
  await rename(compose as string, `${compose}.away`);
  await writeFile(compose as string, `${await readFile(`${compose}.away`, "utf8")}# changed\n`);
  const env = path.join(release, ".env");
  const answered = await readFile(env, "utf8");
  await writeFile(env, answered.replace(SECRET, "another"), { mode: 0o600 });
  await chmod(path.join(releases.dir, "stack", "site.env"), 0o644);
  await releases.site.docker(["tag", "rel/app:1", "rel/app:kept"]);
  await releases.site.docker(["rmi", "rel/app:1"]);
  expect(await doctor()).toEqual({
    exitCode: 7,
    codes: [
      ...["container-outdated", "image-differs", "not-offline"],
      ...["release-file-changed", "release-file-changed", "secrets-readable", "settings-not-applied"],
    ],
  });
  await writeFile(offline as string, packed);
  await writeFile(env, answered);
  await rename(`${compose}.away`, compose as string);
  await chmod(path.join(releases.dir, "stack", "site.env"), 0o600);
  await releases.site.docker(["tag", "rel/app:kept", "rel/app:1"]);
  await releases.site.docker(["rmi", "rel/app:kept"]);
  expect(await doctor()).toEqual({ exitCode: 0, codes: [] });
});

test("support writes one archive that tells a lot, and no secret", async () => {
  await releases.inApp(`echo 'connecting with ${SECRET}' >/proc/1/fd/1`);
  const out = path.join(releases.work, "support");
  await mkdir(out);
  const { path: archive } = await releases.run<{ path: string }>("support", "--output", out);
  const { stdout: names } = await execa("tar", ["-tzf", archive]);
  const release = await releases.current();
  for (const name of [
    ...["host.json", "docker/info.json", "problems.txt", "stack/status.json", "stack/doctor.json"],
    ...[
      "stack/containers.json",
      "stack/logs/stack-app-1.log",
      "stack/site/journal.ndjson",
      "stack/site/site.env",
    ],
    ...[`stack/site/releases/${release}/report.json`, `stack/site/releases/${release}/.env`],
  ]) {
    expect(names.split("\n")).toContain(name);
  }
  const { stdout: everything } = await execa("tar", ["-xOzf", archive], { maxBuffer: 100_000_000 });
  expect(everything).toContain("connecting with (hidden)");
  expect(everything).not.toContain(SECRET);
  expect((await execa("tar", ["-xOzf", archive, "problems.txt"])).stdout).toBe("none");
  expect((await stat(archive)).mode & 0o777).toBe(0o600);
  expect(await readdir(out)).toEqual([path.basename(archive)]);
});

test("status --watch tells each change, and ends with Ctrl-C and the last state", async () => {
  const run = startInstaller(releases.site, ["status", "--watch", "--json", "--dir", releases.dir]);
  const lines = createInterface({ input: run.stdout })[Symbol.asyncIterator]();
  const healthy = async () => JSON.parse((await lines.next()).value as string).stacks[0].healthy;
  expect(await healthy()).toBe(true);
  await releases.site.docker(["stop", "stack-app-1"]);
  while (await healthy());
  process.kill(-(run.pid as number), "SIGINT");
  expect((await run).exitCode).toBe(7);
  await releases.site.docker(["start", "stack-app-1"]);
  await vi.waitUntil(async () => (await releases.run("status")).exitCode === 0, {
    timeout: 60_000,
    interval: 500,
  });
});
