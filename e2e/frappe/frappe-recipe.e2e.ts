import { randomUUID } from "node:crypto";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { buildFixture } from "@drybag/fixtures";
import type { BuildProvenance, Manifest } from "@drybag/format";
import { type Lab, labUp, readLabEnvironment } from "@drybag/lab";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startInstaller } from "../support/installer.ts";
import { FIXTURES } from "../support/paths.ts";
import { httpGet, runDrybag, runInstallScript } from "../support/run-programs.ts";
import * as containerfiles from "./containerfiles.ts";
import { type GitApps, serveGitApps } from "./git-apps.ts";
import { watchCommandLines } from "./watch-command-lines.ts";

const TOKEN = "planted-t0ken-0f-drybags-tests";
/** As it stands in an HTTP header, and in base64 wherever it may begin. */
const FORMS = [
  TOKEN,
  Buffer.from(`oauth2:${TOKEN}`).toString("base64"),
  "cGxhbnRlZC10MGtlbi0wZi1kcnliYWdzLXRlc3",
];

let lab: Lab;
let work: string;
let apps: GitApps;
let state: string;
let cache: string;

interface Built {
  images: { name: string; references: string[]; id: string; provenance: BuildProvenance; logFile: string }[];
  findings: { code: string }[];
  variables: Record<string, string>;
}

beforeAll(async () => {
  lab = await labUp({
    name: "recipe",
    environment: readLabEnvironment(process.env),
    site: { imageStore: "classic" },
  });
  work = await mkdtemp(path.join(tmpdir(), "drybag-recipe-"));
  state = path.join(work, "state");
  cache = path.join(work, "cache");
  for (const fixture of ["erp", "bench"] as const)
    await buildFixture(fixture, { engineEnv: lab.connected.env });
  apps = await serveGitApps(lab.connected, TOKEN);
});

afterAll(async () => {
  await apps?.[Symbol.asyncDispose]();
  await rm(work, { recursive: true, force: true });
  await lab?.[Symbol.asyncDispose]();
});

const erpnext = (branch = "v16.32.3") => ({ url: `${apps.address}/erpnext`, branch });
const india = (pin: object = { branch: "v16.0.1" }) => ({
  url: `${apps.privateAddress}/india-compliance`,
  ...pin,
});

interface ProjectOptions {
  containerfile?: string;
  apps?: unknown;
  version?: string;
  more?: string;
}

/** The erp fixture with the recipe, as a git work tree of its own. */
async function makeProject(name: string, options: ProjectOptions = {}): Promise<string> {
  const folder = path.join(work, name);
  await cp(path.join(FIXTURES, "erp"), folder, { recursive: true });
  const list = options.apps ?? [erpnext(), india()];
  await writeFile(
    path.join(folder, "apps.json"),
    typeof list === "string" ? list : JSON.stringify(list, null, 2),
  );
  await writeFile(path.join(folder, "Containerfile"), options.containerfile ?? containerfiles.SECRET_FORM);
  await writeFile(
    path.join(folder, "drybag.yaml"),
    `name: ${name}
project:
  files: [compose.yaml, overrides/compose.mariadb.yaml, overrides/compose.redis.yaml, overrides/compose.noproxy.yaml]
recipe: frappe
frappe:
  repo: ${apps.address}/frappe
  version: ${options.version ?? "v16.32.3"}
  apps: apps.json
  image: ${name}/erp
${options.more ?? ""}`,
  );
  await execa("git", ["init", "--quiet", "--initial-branch=main"], { cwd: folder });
  await commitAll(folder);
  return folder;
}

async function commitAll(folder: string): Promise<void> {
  const author = ["-c", "user.name=t", "-c", "user.email=t@example"];
  await execa("git", ["add", "--all"], { cwd: folder });
  await execa("git", [...author, "commit", "--quiet", "--message", "change"], { cwd: folder });
}

const drybag = (
  folder: string,
  args: readonly string[],
  env: Record<string, string> = { GIT_TOKEN: TOKEN },
) =>
  runDrybag(lab.connected, args, {
    cwd: folder,
    env: { XDG_STATE_HOME: state, XDG_CACHE_HOME: cache, ...env },
    inside: true,
  });

async function build(folder: string, ...args: string[]): Promise<Built> {
  const run = await drybag(folder, ["build", "--json", ...args]);
  expect(run.exitCode, run.stderr + run.stdout).toBe(0);
  return JSON.parse(run.stdout) as Built;
}

const frappeOf = ({ images }: Built) => {
  const found = images.find(({ name }) => name === "frappe");
  if (found === undefined) throw new Error("no image of the recipe");
  return found;
};

const docker = async (...args: string[]) => String((await lab.connected.docker(args)).stdout);

/** Everything that a person could read of an image, layers unpacked. */
async function expectNoToken(reference: string): Promise<void> {
  const seen = [
    await docker("image", "inspect", reference),
    await docker("history", "--no-trunc", reference),
  ];
  expectClean(seen.join("\n"), `configuration and history of ${reference}`);
  const archive = lab.connected.docker(["image", "save", reference], { encoding: "buffer", buffer: false });
  let rest = "";
  for await (const chunk of archive.stdout as AsyncIterable<Buffer>) {
    const text = rest + chunk.toString("latin1");
    expectClean(text, `layers of ${reference}`);
    rest = text.slice(-200);
  }
  await archive;
}

function expectClean(text: string, place: string): void {
  for (const form of FORMS) {
    if (text.includes(form)) throw new Error(`the token is in ${place}`);
  }
}

/** Every file below a folder; packed ones unpacked. */
async function expectNoTokenBelow(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    expectClean((await readFile(file)).toString("latin1"), file);
  }
}

describe("an image of pinned apps, one of them private", () => {
  let project: string;
  let built: Built;
  let carryFolder: string;

  test("is built through frappe_docker's Containerfile; nobody can read the token", async () => {
    project = await makeProject("secretform", { containerfile: containerfiles.GIT_CONFIG_FORM });
    const watch = watchCommandLines();
    built = await build(project, "--write-env", ".env");
    const commandLines = watch.stop();
    expect(commandLines.join("\n")).toContain("git clone");
    expectClean(commandLines.join("\n"), "a command line");

    const { references, provenance } = frappeOf(built);
    const { stdout: commit } = await execa(
      "git",
      ["log", "-1", "--format=%cd-%h", "--date=format:%Y%m%d", "--abbrev=7"],
      {
        cwd: project,
      },
    );
    expect(references).toEqual([`secretform/erp:${commit}`]);
    expect(provenance.apps).toMatchObject([
      { name: "frappe", ref: "v16.32.3", version: "16.32.3" },
      { name: "erpnext", repo: `${apps.address}/erpnext`, version: "16.32.3" },
      {
        name: "india_compliance",
        repo: `${apps.address}/private/india-compliance`,
        ref: "v16.0.1",
        version: "16.0.1",
      },
    ]);
    for (const app of provenance.apps) expect(app.commit).toMatch(/^[0-9a-f]{40}$/);
    const labels = JSON.parse(
      await docker("image", "inspect", "--format", "{{json .Config.Labels}}", references[0] ?? ""),
    );
    expect(JSON.parse(labels["dev.drybag.apps"])).toEqual(provenance.apps);
    expect(labels["org.opencontainers.image.revision"]).toBe(provenance.commit);

    await expectNoToken(references[0] ?? "");
    await expectNoTokenBelow(state);
  });

  test("its name and tag are in the env file, whose comments stay", async () => {
    const text = await readFile(path.join(project, ".env"), "utf8");
    const [image, tag] = (frappeOf(built).references[0] ?? "").split(":");
    expect(text).toMatch(/^# Read by Compose when no other env file is named/);
    expect(text).toContain(`\nCUSTOM_IMAGE=${image}\nCUSTOM_TAG=${tag}\nPULL_POLICY=never\n`);
    await execa("git", ["checkout", "--quiet", ".env"], { cwd: project });
  });

  test("building the same pins again, from nothing, gives the same provenance", async () => {
    const again = await build(project, "--no-cache");
    expect(frappeOf(again).provenance).toEqual(frappeOf(built).provenance);
    expect(frappeOf(again).references).toEqual(frappeOf(built).references);
  });

  test("is packed, with all that it was built from, and without the token", async () => {
    const run = await drybag(project, ["pack", "--json", "-o", path.join(work, "out")]);
    expect(run.exitCode, run.stderr).toBe(0);
    expectClean(run.stderr + run.stdout, "what pack says");
    carryFolder = (JSON.parse(run.stdout) as { directory: string }).directory;
    const tar = path.join(
      carryFolder,
      (await readdir(carryFolder)).find((name) => name.endsWith(".tar")) ?? "",
    );
    const { stdout } = await execa("tar", ["-xOf", tar, "drybag.json"]);
    const manifest = JSON.parse(stdout) as Manifest;
    const image = manifest.images.find(({ tag }) => tag === frappeOf(built).references[0]);
    expect(image?.provenance.build).toEqual(frappeOf(built).provenance);
    const env = await execa("tar", ["-xOf", tar, "compose.offline.env"]);
    expect(env.stdout).toContain("CUSTOM_IMAGE='secretform/erp'");
    await expectNoTokenBelow(carryFolder);
  });

  test("runs on site: the recipe makes the site, and list-apps shows the pinned versions", async () => {
    const dir = path.join(work, "opt");
    const answers = ["SITE_NAME=erp.example", "ADMIN_PASSWORD=admin-of-tests", "DB_PASSWORD=123"];
    const flags = ["--yes", "--dir", dir, ...answers.flatMap((answer) => ["--set", answer])];
    const install = await runInstallScript(lab.site, carryFolder, flags, { cwd: "/" });
    expect(install.exitCode, install.stderr).toBe(0);
    const task = async (...args: string[]) => {
      const run = await startInstaller(lab.site, ["run", ...args, "--dir", dir, "--name", "secretform"]);
      expect(run.exitCode, run.stderr).toBe(0);
      return run.stdout + run.stderr;
    };
    const pinned = ["frappe 16.32.3", "erpnext 16.32.3", "india_compliance 16.0.1"];
    expect(await task("list-apps")).toContain(pinned.join("\n"));
    await task("uninstall-app", "APP=india_compliance");
    const left = await task("list-apps");
    expect(left).toContain("erpnext 16.32.3");
    expect(left).not.toContain("india_compliance");
    await task("install-app", "APP=india_compliance");
    expect(await task("list-apps")).toContain(pinned.join("\n"));
    await task("clear-cache");
    const { status } = await httpGet(lab.site, "http://127.0.0.1:8080/api/method/ping", {
      Host: "erp.example",
    });
    expect(status).toBe(200);
  });
});

describe("other Containerfiles:", () => {
  test("apps.json as an argument; the token is in no image and no log", async () => {
    const project = await makeProject("base64form", { containerfile: containerfiles.BASE64_FORM });
    const built = await build(project);
    const { references, provenance } = frappeOf(built);
    expect(provenance.apps.map(({ name }) => name)).toEqual(["frappe", "erpnext", "india_compliance"]);
    expect(provenance.args).not.toHaveProperty("APPS_JSON_BASE64");
    await expectNoToken(references[0] ?? "");
    await expectNoTokenBelow(state);
  });

  test("a stage for each app: another version of one builds that stage only", async () => {
    const project = await makeProject("stages", { containerfile: containerfiles.STAGES_FORM });
    const first = frappeOf(await build(project));
    await writeFile(
      path.join(project, "apps.json"),
      JSON.stringify([erpnext(), india({ branch: "v16.0.2" })]),
    );
    await commitAll(project);
    const second = frappeOf(await build(project));
    expect(second.provenance.apps.at(-1)?.version).toBe("16.0.2");
    expect(second.references).not.toEqual(first.references);
    const log = await readFile(second.logFile, "utf8");
    expect(stateOf(log, "[erpnext ")).toBe("CACHED");
    expect(stateOf(log, "[frappe ")).toBe("CACHED");
    expect(stateOf(log, "[india ")).toMatch(/^DONE/);
  });

  test("one that keeps .git folders is found out, and its image removed", async () => {
    const project = await makeProject("leaky", { containerfile: containerfiles.KEEPS_GIT_FOLDERS });
    const run = await drybag(project, ["build"]);
    expect(run.stderr).toMatch(/\[token-leaked\][\s\S]*in the file .*india.*\.git\/config/);
    expect(run.exitCode).toBe(3);
    expectClean(run.stderr, "what build says");
    expect(await docker("image", "ls", "--quiet", "leaky/erp")).toBe("");
  });

  test("a commit beside a branch is what the image holds", async () => {
    const commit = apps.commits.indiaUntagged;
    const pinned = [erpnext(), india({ branch: "version-16", commit })];
    const project = await makeProject("commits", { containerfile: containerfiles.COMMIT_FORM, apps: pinned });
    const { references, provenance } = frappeOf(await build(project));
    expect(provenance.apps.at(-1)).toMatchObject({ ref: "version-16", commit });
    const fix = [
      "run",
      "--rm",
      "--entrypoint",
      "cat",
      references[0] ?? "",
      "apps/india_compliance/india_compliance/fix.py",
    ];
    expect(await docker(...fix)).toBe("FIX = 1");
  });

  test("one that does not check it out is found out, and its image removed", async () => {
    const pinned = [erpnext(), india({ branch: "version-16", commit: apps.commits.indiaUntagged })];
    const project = await makeProject("ignores", {
      containerfile: containerfiles.IGNORES_COMMITS,
      apps: pinned,
    });
    const run = await drybag(project, ["build"]);
    expect(run.stderr).toMatch(
      /\[commit-mismatch\][\s\S]*india_compliance version-16 .* is of another commit: .*fix\.py/,
    );
    expect(run.exitCode).toBe(3);
    expect(await docker("image", "ls", "--quiet", "ignores/erp")).toBe("");
  });

  test("one whose step fails: which, why, and where the log is", async () => {
    const broken = containerfiles.SECRET_FORM.replace(
      "bench init",
      "python3 -c 'import nosuchmodule' && bench init",
    );
    const project = await makeProject("broken", { containerfile: broken });
    const run = await drybag(project, ["build"]);
    expect(run.stderr).toMatch(/The module nosuchmodule is missing\. \[build-failed\]/);
    expect(run.stderr).toMatch(/step: \[builder \d+\/\d+\] RUN --mount=type=secret/);
    const logFile = /The whole log: (\S+)/.exec(run.stderr)?.[1] ?? "";
    expect(await readFile(logFile, "utf8")).toContain("nosuchmodule");
    expect(run.exitCode).toBe(3);
  });
});

/** How BuildKit did the last step of a stage. */
function stateOf(log: string, stage: string): string | undefined {
  const lines = log.split("\n");
  const step = lines.findLast((line) => line.includes(` ${stage}`) && / RUN /.test(line));
  const id = /^#\d+ /.exec(step ?? "")?.[0];
  return lines.findLast((line) => id !== undefined && line.startsWith(id))?.slice(id?.length);
}

describe("is refused before anything is built:", () => {
  let project: string;
  beforeAll(async () => {
    project = await makeProject("refused");
  });

  const missing = "0".repeat(40);
  test.each<[string, () => unknown, RegExp]>([
    [
      "main",
      () => [erpnext("main")],
      /apps\.json:\d+:\d+: erpnext is pinned to 'main', a branch.*\[app-moving-ref\]/,
    ],
    ["version-16", () => [erpnext("version-16")], /\[app-moving-ref\]/],
    ["what the repository says is a branch", () => [india({ branch: "v15-line" })], /\[app-moving-ref\]/],
    [
      "frappe among the apps",
      () => [{ url: `${apps.address}/frappe`, branch: "v16.32.3" }],
      /\[app-is-frappe\]/,
    ],
    ["an app twice", () => [erpnext(), erpnext()], /\[app-duplicate\]/],
    ["what is not JSON", () => '[{"url": }]', /apps\.json:1:10: This is not JSON.*\[apps-not-json\]/],
    [
      "an unknown key",
      () => [{ ...erpnext(), brnch: "x" }],
      /\[apps-unknown-key\][\s\S]*Did you mean 'branch'/,
    ],
    [
      "a tag that is not there",
      () => [erpnext("v16.99.0")],
      /\[app-ref-missing\][\s\S]*newest tag is v16\.32\.3/,
    ],
    ["a commit that is not there", () => [india({ commit: missing })], /\[app-commit-missing\]/],
    [
      "a commit that this Containerfile cannot get",
      () => [india({ branch: "version-16", commit: apps.commits.indiaUntagged })],
      /\[app-commit-unnamed\]/,
    ],
    [
      "a tag that is another commit",
      () => [india({ tag: "v16.0.1", commit: apps.commits.indiaMain })],
      /\[app-tag-moved\]/,
    ],
    [
      "a private repository without a token",
      () => [{ url: `${apps.address}/private/india-compliance`, tag: "v16.0.1" }],
      /\[app-not-found\]/,
    ],
    [
      "a repository that is not there",
      () => [{ url: `${apps.address}/nothing`, tag: "v1" }],
      /\[app-not-found\]/,
    ],
    ["a server that is not there", () => [{ url: "http://127.0.0.1:9/x", tag: "v1" }], /\[app-unreachable\]/],
  ])("%s", async (_, list, message) => {
    const content = list();
    await writeFile(
      path.join(project, "apps.json"),
      typeof content === "string" ? content : JSON.stringify(content),
    );
    const run = await drybag(project, ["build", "--allow-dirty"]);
    expect(run.stderr).toMatch(message);
    expect(run.stderr).toMatch(/\[apps-invalid\]/);
    expect(run.stderr).not.toMatch(/this is a defect|Build frappe/);
    expectClean(run.stderr, "what build says");
    expect(run.exitCode).toBe(3);
  });

  test("a token that is not set", async () => {
    await writeFile(path.join(project, "apps.json"), JSON.stringify([india()]));
    const run = await drybag(project, ["build", "--allow-dirty"], {});
    expect(run.stderr).toMatch(/GIT_TOKEN must have a value.*\[token-missing\]/);
    expect(run.exitCode).toBe(3);
  });

  test("an argument that would put the token into the image's history", async () => {
    const containerfile = containerfiles.BASE64_IN_HISTORY;
    const run = await drybag(await makeProject("history", { containerfile }), ["build"]);
    expect(run.stderr).toMatch(/\[token-in-history\]/);
    expect(run.exitCode).toBe(3);
  });

  test("a work tree with changes", async () => {
    const changed = await makeProject("changed");
    await writeFile(path.join(changed, "new.txt"), "new\n");
    const run = await drybag(changed, ["build"]);
    expect(run.stderr).toMatch(/\[build-dirty\]\n\s+new\.txt/);
    expect(run.exitCode).toBe(3);
  });
});

test("a token from a file, and every tag into a registry", async () => {
  // Of this run alone: the registry keeps what earlier ones pushed.
  const repository = `team/erp-${randomUUID().slice(0, 8)}`;
  const image = `127.0.0.1:5000/${repository}`;
  const project = await makeProject("files", {
    more: "  tokenFile: ../tokens.env\n  tags: ['{date}-{commit}', '{version}', 'sha-{commit}', main-latest]\n",
  });
  await writeFile(path.join(work, "tokens.env"), `GIT_TOKEN=${TOKEN}\n`);
  const config = await readFile(path.join(project, "drybag.yaml"), "utf8");
  await writeFile(path.join(project, "drybag.yaml"), config.replace("image: files/erp", `image: ${image}`));
  await commitAll(project);
  const run = await drybag(project, ["build", "--push", "--json"], {});
  expect(run.exitCode, run.stderr + run.stdout).toBe(0);
  const pushed = frappeOf(JSON.parse(run.stdout) as Built).references.map((each) =>
    each.slice(image.length + 1),
  );
  expect(pushed).toHaveLength(4);
  const { stdout } = await lab.connected.exec([
    ...[process.execPath, "-e"],
    `fetch("http://127.0.0.1:5000/v2/${repository}/tags/list").then(async (answer) => console.log(await answer.text()))`,
  ]);
  expect((JSON.parse(String(stdout)) as { tags: string[] }).tags.sort()).toEqual(pushed.sort());
});
