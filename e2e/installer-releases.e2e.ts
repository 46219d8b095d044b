import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { stripVTControlCharacters } from "node:util";
import { buildFixture } from "@drybag/fixtures";
import { type Engine, type Lab, labUp, readLabEnvironment } from "@drybag/lab";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import {
  containersOf,
  DRYBAG_SITE,
  imagesOf,
  interrupt,
  packProject,
  startInstaller,
  untilServices,
} from "./support/installer.ts";

const EXECUTABLE = path.resolve(import.meta.dirname, "../packages/installer/dist/drybag-site-linux-amd64");
const SECRET = "not-to-be-seen-7c1";

const COMPOSE = `
services:
  app:
    image: rel/app:\${REL_TAG:-1}
    entrypoint: ["sh", "-c", "echo started $$(cat /version); sleep 1000000"]
    environment: { API_KEY: "\${API_KEY:?}", GREETING: "\${GREETING:-hello}" }
    stop_grace_period: 0s
    healthcheck: { test: [CMD, "true"], interval: 1s }
    volumes: ["./kept:/kept", "things:/things", "/unnamed"]
volumes:
  things:
`;

let lab: Lab;
let site: Engine;
let work: string;
let dir: string;
const folders: Record<string, string> = {};

beforeAll(async () => {
  lab = await labUp({
    name: "instrel",
    environment: readLabEnvironment(process.env),
    // The classic one has its releases in installer-health.e2e.ts.
    site: { imageStore: "containerd" },
  });
  site = lab.site;
  work = await mkdtemp(path.join(tmpdir(), "drybag-instrel-"));
  dir = path.join(work, "opt");
  await buildFixture("hello", { engineEnv: lab.connected.env });
  for (const key of ["ours", "theirs"]) {
    await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", path.join(work, key)]);
  }
  await pack("1", "ours");
  await pack("2", "ours");
  await pack("3", "theirs");
  await pack("4");
});

afterAll(async () => {
  await rm(work, { recursive: true, force: true });
  await lab?.[Symbol.asyncDispose]();
});

/** Every version has another image under the same tag. */
async function pack(version: string, key?: string): Promise<void> {
  const dockerfile = `FROM drybag/hello-task:1.0.0\nRUN echo ${version} >/version\n`;
  await lab.connected.docker(["build", "--quiet", "--tag", "rel/app:1", "-"], { input: dockerfile });
  const project = path.join(work, "stack");
  await mkdir(path.join(project, "kept"), { recursive: true });
  const args = ["--bundle-version", version, ...(key === undefined ? [] : ["--sign", path.join(work, key)])];
  folders[version] = await packProject(lab.connected, project, { "compose.yaml": COMPOSE }, args);
}

/** What a command gives with --json; never with the secret in it. */
async function drybagSite<Result = Record<string, unknown>>(...args: string[]) {
  const [command = "", ...rest] = args;
  const run = await startInstaller(site, [command, "--json", "--dir", dir, ...rest]);
  if (command !== "logs") expect(run.stdout + run.stderr).not.toContain(SECRET);
  const result = (command === "logs" ? {} : JSON.parse(run.stdout)) as Result & {
    error?: { code: string; message: string; hint?: string };
  };
  return { exitCode: run.exitCode, stdout: run.stdout, ...result };
}

const install = (version: string, ...args: string[]) =>
  drybagSite<{ signer: string; trust: string }>("install", folders[version] ?? "", "--yes", ...args);
const current = async () => (await readlink(path.join(dir, "stack", "current"))).replace(/^releases\//, "");
const inApp = async (script: string) =>
  (await site.docker(["exec", "stack-app-1", "sh", "-c", script])).stdout as string;

async function fingerprint(key: string): Promise<string> {
  const { stdout } = await execa("ssh-keygen", ["-l", "-f", path.join(work, `${key}.pub`)]);
  return stdout.split(" ")[1] ?? "";
}

/** Runs a program in a terminal, answers its questions as they come, and gives what was to be seen. */
async function answer(
  command: readonly string[],
  replies: [question: string, reply: string][],
): Promise<string> {
  // Without a terminal of its own, script(1) gives the program one of 0 columns and 0 rows.
  const run = site.exec(["script", "-qec", command.join(" "), "/dev/null"], { stdin: "pipe", reject: false });
  let shown = "";
  let answered = 0;
  run.stdout?.on("data", (chunk: Buffer) => {
    shown += stripVTControlCharacters(chunk.toString());
    const [question = "", reply = ""] = replies[0] ?? [];
    const asked = shown.indexOf(question, answered);
    if (replies.length === 0 || asked === -1) return;
    answered = asked + question.length;
    replies.shift();
    run.stdin?.write(`${reply}\n`);
  });
  const { exitCode } = await run;
  expect(exitCode, shown).toBe(0);
  return shown;
}

test("a dry run plans, writes the answers for elsewhere, and changes nothing", async () => {
  const before = await imagesOf(site);
  const answers = path.join(work, "answers.env");
  const { exitCode, plan } = await drybagSite<{ plan: object }>(
    ...["install", folders["1"] ?? "", "--dry-run", "--set", `API_KEY=${SECRET}`, "--answers-out", answers],
  );
  expect(exitCode).toBe(0);
  expect(plan).toMatchObject({
    name: "stack",
    version: "1",
    previousRelease: null,
    signer: await fingerprint("ours"),
    trust: "first",
    images: [{ tag: "rel/app:1", load: true }],
    settings: [
      { name: "API_KEY", value: "(hidden)", from: "this site" },
      { name: "GREETING", value: "hello", from: "default" },
      { name: "REL_TAG", value: "1", from: "default" },
    ],
  });
  expect(await readFile(answers, "utf8")).toBe(`API_KEY="${SECRET}"\n`);
  expect((await stat(answers)).mode & 0o777).toBe(0o600);
  expect(await imagesOf(site)).toEqual(before);
  expect(await readdir(dir)).toEqual([]);
});

test("a setting that would change an image is refused, with the value that it has", async () => {
  const refused = await install("1", "--set", `API_KEY=${SECRET}`, "--set", "REL_TAG=2");
  expect(refused.exitCode).toBe(6);
  expect(refused.error).toMatchObject({
    message: "REL_TAG would make app run rel/app:2, which is not in this bundle; it has rel/app:1.",
    hint: expect.stringContaining("--set REL_TAG=1"),
  });
  expect(await readdir(dir).catch(() => [])).toEqual([]);
});

test("the first signed bundle brings the key, with the answers from a file", async () => {
  const { exitCode, error, trust } = await install("1", "--values", path.join(work, "answers.env"));
  expect(exitCode, JSON.stringify(error)).toBe(0);
  expect(trust).toBe("first");
  expect((await stat(path.join(dir, "stack", "signer.pub"))).mode & 0o777).toBe(0o600);
  await inApp("echo precious >/kept/data; echo precious >/things/data");
  expect((await install("2")).trust).toBe("same");
  const page = await readFile(path.join(dir, "stack", "current", "report.txt"), "utf8");
  expect(page).toMatch(/^outcome +installed and healthy$/m);
  expect(page).toMatch(/^images +changed +rel\/app:1$/m);
  expect(page).toContain(`signed by  ${await fingerprint("ours")} (the key of this stack's bundles so far)`);
  expect(page).toMatch(/^user +root \(uid 0\)$/m);
  expect(page).toMatch(/^app +healthy +healthy/m);
  expect(page).not.toContain(SECRET);
});

test("a bundle by another key, or by none, is refused before anything is changed", async () => {
  const before = [await imagesOf(site), await containersOf(site, "stack")];
  expect(await install("4")).toMatchObject({ exitCode: 5, error: { code: "signature-missing" } });
  expect(await install("3")).toMatchObject({
    exitCode: 5,
    error: {
      code: "signer-unknown",
      hint: expect.stringContaining(`--trust-new-key ${await fingerprint("theirs")}`),
    },
  });
  const wrong = await install("3", "--trust-new-key", await fingerprint("ours"));
  expect(wrong).toMatchObject({ exitCode: 5, error: { code: "signer-unknown" } });
  expect([await imagesOf(site), await containersOf(site, "stack")]).toEqual(before);
});

test("rollback runs the release before, with its image, and leaves data alone", async () => {
  const { exitCode, error } = await drybagSite("rollback", "--yes");
  expect(exitCode, JSON.stringify(error)).toBe(0);
  expect(await current()).toMatch(/^1-/);
  expect(await inApp("cat /version /kept/data /things/data")).toBe("1\nprecious\nprecious");
  expect((await drybagSite("status")).exitCode).toBe(0);
  const { stacks } = await drybagSite<{ stacks: { releases: { version: string; state: string }[] }[] }>(
    "releases",
  );
  expect(stacks[0]?.releases.map(({ version, state }) => `${version} ${state}`)).toEqual([
    "1 current",
    "2 previous",
  ]);
});

test("Ctrl-C in a rollback says what runs, and the same command again finishes it", async () => {
  const run = startInstaller(site, ["rollback", "--json", "--yes", "--dir", dir]);
  await untilServices(run);
  expect(await interrupt(run)).toBeLessThan(20_000);
  expect(JSON.parse((await run).stdout)).toMatchObject({
    error: { code: "interrupted", detail: expect.stringContaining("some of its containers may run") },
  });
  expect(await current()).toMatch(/^1-/);
  expect((await drybagSite("rollback", "--yes")).exitCode).toBe(0);
  expect(await current()).toMatch(/^2-/);
  expect(await inApp("cat /version")).toBe("2");
});

test("preflight says aloud that a bundle is older", async () => {
  const { plan } = await drybagSite<{ plan: { findings: object[] } }>("preflight", folders["1"] ?? "");
  expect(plan.findings).toMatchObject([
    { code: "release-older", severity: "warning" },
    { code: "volume-unnamed", message: "Volumes without a name: app:/unnamed. Backups hold them." },
  ]);
});

test("logs shows what a service wrote, and refuses one that there is not", async () => {
  const unknown = await startInstaller(site, ["logs", "--service", "ap", "--dir", dir]);
  expect(unknown.exitCode).toBe(6);
  expect(unknown.stderr).toMatch(/no service ap\. \[service-not-found\]\n→ Did you mean app\?/);
  const { exitCode, stdout } = await drybagSite("logs", "--service", "app");
  expect(exitCode).toBe(0);
  expect(stdout).toContain("started 2");
});

test("doctor has nothing to say of what is as it was installed, and names everything that is not", async () => {
  type Examined = { stacks: { ok: boolean; findings: { code: string; message: string }[] }[] };
  const doctor = async () => {
    const { exitCode, stacks } = await drybagSite<Examined>("doctor");
    return { exitCode, codes: stacks[0]?.findings.map(({ code }) => code).sort() };
  };
  expect(await doctor()).toEqual({ exitCode: 0, codes: [] });
  const release = path.join(dir, "stack", "current");
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
  await chmod(path.join(dir, "stack", "site.env"), 0o644);
  await site.docker(["tag", "rel/app:1", "rel/app:kept"]);
  await site.docker(["rmi", "rel/app:1"]);
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
  await chmod(path.join(dir, "stack", "site.env"), 0o600);
  await site.docker(["tag", "rel/app:kept", "rel/app:1"]);
  await site.docker(["rmi", "rel/app:kept"]);
  expect(await doctor()).toEqual({ exitCode: 0, codes: [] });
});

test("support writes one archive that tells a lot, and no secret", async () => {
  await inApp(`echo 'connecting with ${SECRET}' >/proc/1/fd/1`);
  const out = path.join(work, "support");
  await mkdir(out);
  const { path: archive } = await drybagSite<{ path: string }>("support", "--output", out);
  const { stdout: names } = await execa("tar", ["-tzf", archive]);
  const release = await current();
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
  const run = startInstaller(site, ["status", "--watch", "--json", "--dir", dir]);
  const lines = createInterface({ input: run.stdout })[Symbol.asyncIterator]();
  const healthy = async () => JSON.parse((await lines.next()).value as string).stacks[0].healthy;
  expect(await healthy()).toBe(true);
  await site.docker(["stop", "stack-app-1"]);
  while (await healthy());
  process.kill(-(run.pid as number), "SIGINT");
  expect((await run).exitCode).toBe(7);
  await site.docker(["start", "stack-app-1"]);
  await vi.waitUntil(async () => (await drybagSite("status")).exitCode === 0, {
    timeout: 60_000,
    interval: 500,
  });
});

test("prune takes the old release and its image, and rollback says that it is gone", async () => {
  const release = (await readdir(path.join(dir, "stack", "releases"))).find((name) => name.startsWith("1-"));
  const pruned = await drybagSite("prune", "--keep", "0");
  expect(pruned).toMatchObject({ exitCode: 0, releases: [release], images: ["rel/app:1"], imagesInUse: [] });
  expect(await imagesOf(site)).toHaveLength(1);
  expect(await drybagSite("rollback", "--yes")).toMatchObject({
    exitCode: 6,
    error: { code: "release-not-found" },
  });
  expect((await drybagSite("status")).exitCode).toBe(0);
});

test("a new key is trusted when its fingerprint is typed in", async () => {
  const told = await install("3", "--trust-new-key", await fingerprint("theirs"));
  expect(told).toMatchObject({ exitCode: 0, trust: "new" });
  expect(await install("1")).toMatchObject({ exitCode: 5, error: { code: "signer-unknown" } });
});

test("the executable keeps itself there as drybag-site, unless told not to", async () => {
  const install = ["install", folders["3"] ?? "", "--yes", "--dir", dir];
  await site.exec([EXECUTABLE, ...install, "--no-self-install"]);
  expect(await readdir(dir)).toEqual(["stack"]);
  const { stdout } = await site.exec([EXECUTABLE, ...install]);
  const program = path.join(dir, "bin", "drybag-site");
  expect(stdout).toContain(`Look again:  ${program} status stack --dir ${dir}`);
  await site.exec([program, "status", "stack", "--dir", dir]);
  await rm(path.join(dir, "bin"), { recursive: true });
});

const INSTALL_IT = "Install it? [Y/n, or a SETTING to change] ";

test("answered in a terminal that reports no size, a secret is made up and never shown", async () => {
  const command = [
    process.execPath,
    DRYBAG_SITE,
    "install",
    folders["3"] ?? "",
    "--name",
    "asked",
    "--dir",
    dir,
  ];
  const shown = await answer(command, [
    ["API_KEY (Enter makes one up): ", ""],
    [INSTALL_IT, "greetings"],
    [INSTALL_IT, "rel_tag"],
    ["REL_TAG (1): ", "2"],
    [INSTALL_IT, "GREETING"],
    ["GREETING (hello): ", "moin"],
    [INSTALL_IT, "y"],
  ]);
  const answers = await readFile(path.join(dir, "asked", "site.env"), "utf8");
  const secret = /^API_KEY="([A-Za-z0-9]{32})"$/m.exec(answers)?.[1] ?? "none";
  expect(shown).toMatch(/API_KEY +this site +\(hidden\)/);
  expect(shown).toContain("There is no setting greetings. Did you mean GREETING?");
  expect(shown).toContain(
    "REL_TAG would make app run rel/app:2, which is not in this bundle; it has rel/app:1.",
  );
  expect(shown).toContain("REL_TAG stays as it was.");
  expect(shown).toMatch(/GREETING +this site +moin/);
  expect(answers).toMatch(/^GREETING="moin"$/m);
  expect(answers).not.toContain("REL_TAG");
  expect(shown).toContain("is installed and healthy");
  expect(shown).not.toContain(secret);
  expect(shown).toMatch(/^. 5\/5 Start the stack and wait until it is healthy: 1 services/m);
  await drybagSite("uninstall", "asked", "--yes", "--volumes", "--confirm", "asked");
});

test("uninstall keeps the data, and installing again finds it", async () => {
  const gone = await drybagSite("uninstall", "stack", "--yes");
  expect(gone).toMatchObject({ exitCode: 0, volumes: ["stack_things"], volumesRemoved: false });
  expect(await containersOf(site, "stack")).toEqual([]);
  expect((await readdir(path.join(dir, "stack"))).sort()).toEqual([
    "data",
    "journal.ndjson",
    "signer.pub",
    "site.env",
    "tasks.json",
  ]);
  expect((await drybagSite("status")).error?.code).toBe("release-not-found");
  expect((await install("3")).trust).toBe("same");
  expect(await inApp("cat /kept/data /things/data")).toBe("precious\nprecious");
});

test("uninstall takes the data only when the name was typed", async () => {
  const refused = await drybagSite("uninstall", "stack", "--yes", "--volumes");
  expect(refused).toMatchObject({ exitCode: 2, error: { code: "usage", hint: "add --confirm stack" } });
  const wrong = await drybagSite("uninstall", "stack", "--yes", "--volumes", "--confirm", "stakc");
  expect(wrong).toMatchObject({
    exitCode: 2,
    error: { message: expect.stringContaining("is not the name") },
  });
  expect(await inApp("cat /things/data")).toBe("precious");
  const volumesOfApp = '{{range .Mounts}}{{if eq .Type "volume"}}{{.Name}} {{end}}{{end}}';
  const { stdout } = await site.docker(["inspect", "--format", volumesOfApp, "stack-app-1"]);
  const mounted = String(stdout).trim().split(" ");
  expect(mounted).toHaveLength(2);
  const gone = await drybagSite("uninstall", "stack", "--yes", "--volumes", "--confirm", "stack");
  expect(gone).toMatchObject({ exitCode: 0, volumesRemoved: true, folder: null });
  const left = String((await site.docker(["volume", "ls", "--quiet"])).stdout).split("\n");
  expect(left.filter((volume) => mounted.includes(volume) || volume.startsWith("stack_"))).toEqual([]);
  expect(await readdir(dir)).toEqual([]);
});
