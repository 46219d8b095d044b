// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Compose syntax
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { PassThrough } from "node:stream";
import type { Questions } from "@drybag/terminal";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Config, loadConfig } from "../config/load-config.ts";
import { type InitOptions, type InitResult, init } from "./init.ts";

let folder: string;

beforeEach(async () => {
  folder = path.join(await mkdtemp(path.join(tmpdir(), "drybag-init-")), "My Shop");
  await mkdir(folder);
});

afterEach(() => rm(path.dirname(folder), { recursive: true }));

const WEB = "services:\n  web:\n    image: nginx:1.27\n";

async function lay(files: Record<string, string>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), text);
  }
}

async function run(
  options: Partial<InitOptions> = {},
): Promise<InitResult & { config: Config; text: string }> {
  const result = await init({
    cwd: folder,
    env: {},
    files: undefined,
    envFiles: undefined,
    profiles: [],
    name: undefined,
    force: false,
    questions: undefined,
    ...options,
  });
  return { ...result, config: await loadConfig(result.file), text: await readFile(result.file, "utf8") };
}

/** Somebody who types these lines, and then goes away. */
function typing(...lines: string[]): { questions: Questions; shown: () => string } {
  const stdin = new PassThrough() as unknown as NodeJS.ReadStream;
  const stderr = new PassThrough();
  let shown = "";
  let answered = 0;
  stderr.on("data", (chunk: Buffer) => {
    shown += chunk;
    // Every question ends so.
    if (shown.split("]: ").length - 1 <= answered) return;
    const line = lines[answered];
    answered += 1;
    setImmediate(() => stdin.push(line === undefined ? null : `${line}\r`));
  });
  return {
    questions: {
      stdin,
      stderr: stderr as unknown as NodeJS.WriteStream,
      signal: new AbortController().signal,
    },
    shown: () => shown,
  };
}

test("a folder with a compose.yaml needs no answers: Compose's own choices are left to Compose", async () => {
  await lay({ "compose.yaml": WEB, ".env": "A=1\n", "compose.override.yaml": WEB, "notes.yaml": "a: 1\n" });
  const { file, plan, config, text } = await run();
  expect(file).toBe(path.join(folder, "drybag.yaml"));
  expect(config).toMatchObject({ name: "myshop", compose: { files: [], envFiles: [] } });
  expect(plan.composeFiles).toEqual(["compose.yaml", "compose.override.yaml"]);
  expect(text).toMatch(/^# yaml-language-server: \$schema=https:\/\//);
  expect(text.split("\n").every((line) => line.length <= 140)).toBe(true);
});

test("what it offers as comments is right when the comment signs are taken away", async () => {
  await lay({
    "compose.yaml": `services:\n  web:\n    image: nginx\n    profiles: [debug, "1"]\n    ports: ["\${WEB_PORT:-80}:80"]\n`,
    "compose.prod.yaml": WEB,
  });
  const { text, file } = await run();
  const uncommented = text
    .split("\n")
    .filter(
      (line) => /^\s*# *(?:[A-Za-z_]+:|- )/.test(line) && !/^# (?:type|yaml-language-server):/.test(line),
    )
    .map((line) => line.replace(/^(\s*)# /, "$1"));
  expect(uncommented.join("\n")).toContain("exclude:");
  await writeFile(file, uncommented.join("\n"));
  expect(await loadConfig(file)).toMatchObject({
    version: "1.0",
    compose: {
      files: ["compose.yaml", "compose.prod.yaml"].map((name) => path.join(folder, name)),
      profiles: ["1", "debug"],
    },
    project: {
      settings: [{ name: "WEB_PORT", type: "port" }],
      extraImages: [{}],
      exclude: [{}],
      oneShots: [{}],
    },
  });
});

test("it is written beside compose.yaml, from a folder below too", async () => {
  await lay({ "compose.yaml": WEB, "sub/deep/x": "" });
  expect((await run({ cwd: path.join(folder, "sub/deep") })).file).toBe(path.join(folder, "drybag.yaml"));
});

test("flags are taken as they are, relative to where they were given", async () => {
  await lay({ "deploy/stack.yml": `name: shop\n${WEB}`, "deploy/prod.yml": WEB, "a.env": "", "b.env": "" });
  const { config } = await run({
    files: ["deploy/stack.yml", "deploy/prod.yml"],
    envFiles: ["a.env", "b.env"],
    profiles: ["debug"],
  });
  expect(config).toMatchObject({
    name: "shop",
    compose: {
      files: [path.join(folder, "deploy/stack.yml"), path.join(folder, "deploy/prod.yml")],
      envFiles: [path.join(folder, "a.env"), path.join(folder, "b.env")],
      profiles: ["debug"],
    },
  });
});

test("COMPOSE_FILE in .env goes on naming the files; in the environment it is written down", async () => {
  await lay({ "a.yaml": WEB, "b.yaml": WEB, "compose.yaml": WEB, ".env": "COMPOSE_FILE=a.yaml:b.yaml\n" });
  expect((await run()).plan).toMatchObject({ composeFiles: ["a.yaml", "b.yaml"], files: undefined });
  const { config } = await run({ env: { COMPOSE_FILE: "b.yaml" }, force: true });
  expect(config.compose.files).toEqual([path.join(folder, "b.yaml")]);
});

test("an example env file stands in for a .env that is not there", async () => {
  await lay({ "compose.yaml": WEB, "example.env": "A=1\n" });
  expect((await run()).config.compose.envFiles).toEqual([path.join(folder, "example.env")]);
});

test("what has no value, and secrets that everybody can read, are asked for on site", async () => {
  await lay({
    "compose.yaml": `services:
  web:
    image: shop:\${TAG:?which}
    environment:
      GREETING: \${GREETING:?the greeting}
      DB_PASSWORD: \${DB_PASSWORD:-changeit}
      SITE_HOST: \${SITE_HOST:?}
      MODE: "\${MODE:-a: b}"
      API_KEY:
    ports: ["\${WEB_PORT:-80}:80"]
`,
    ".env": "# Where it is found: 'here' #1\nSITE_HOST=\n",
  });
  const { config, plan, neededWhenPacking } = await run();
  expect(config.project.settings).toMatchObject([
    { name: "API_KEY", secret: true, required: true },
    { name: "DB_PASSWORD", secret: true, required: true },
    { name: "GREETING", required: true, description: "the greeting" },
    { name: "SITE_HOST", required: true, type: "hostname", description: "Where it is found: 'here' #1" },
  ]);
  expect(neededWhenPacking).toEqual(["TAG"]);
  expect(plan.optional.map(({ name, type }) => [name, type])).toEqual([
    ["MODE", undefined],
    ["WEB_PORT", "port"],
  ]);
});

test("a secret's value is not written down", async () => {
  await lay({
    "compose.yaml": `${WEB}    environment: { P: "\${DB_PASSWORD}" }\n`,
    ".env": "DB_PASSWORD=hunter2\n",
  });
  expect((await run()).text).not.toContain("hunter2");
});

test("a file that is there is left alone, and replaced when asked", async () => {
  await lay({ "compose.yaml": WEB, "drybag.yaml": "name: mine\n" });
  await expect(run()).rejects.toMatchObject({ code: "output-exists" });
  expect(await readFile(path.join(folder, "drybag.yaml"), "utf8")).toBe("name: mine\n");
  expect((await run({ force: true })).config.name).toBe("myshop");
  expect(await readdir(folder)).toEqual(["compose.yaml", "drybag.yaml"]);
});

describe("refused, and nothing written:", () => {
  test.each<[string, Record<string, string>, Partial<InitOptions>, string]>([
    ["no Compose file", { "notes.yaml": "a: 1\n" }, {}, "project-not-found"],
    ["several, none called compose.yaml", { "a.yaml": WEB, "b.yaml": WEB }, {}, "project-not-found"],
    ["a name that cannot be", { "compose.yaml": WEB }, { name: "My Shop" }, "usage"],
    ["a Compose file that is not there", {}, { files: ["x.yaml"] }, "file-missing"],
    ["an env file that is not there", { "compose.yaml": WEB }, { envFiles: ["x.env"] }, "file-missing"],
    ["broken YAML", { "compose.yaml": "services: [\n" }, {}, "project-invalid"],
  ])("%s", async (_, files, options, code) => {
    await lay(files);
    await expect(run(options)).rejects.toMatchObject({ code });
    expect(await readdir(folder)).not.toContain("drybag.yaml");
  });
});

test("what cannot be followed is no reason not to begin", async () => {
  await lay({ "compose.yaml": `include: [https://example.com/a.git]\n${WEB}` });
  expect(await run()).toMatchObject({
    problem: expect.stringContaining("lies on a network"),
    config: { name: "myshop" },
  });
});

const FRAPPE = {
  "compose.yaml":
    "x-customizable-image: &i\n  image: frappe/erpnext:v16\nservices:\n  backend: *i\n  configurator: *i\n",
  ...Object.fromEntries(
    [
      "mariadb",
      "mariadb-secrets",
      "postgres",
      "redis",
      "noproxy",
      "https",
      "migrator",
      "traefik",
      "our-own",
    ].map((name) => [`overrides/compose.${name}.yaml`, `services:\n  ${name}:\n    image: ${name}\n`]),
  ),
};

function overrides(...names: string[]): string[] {
  return ["compose.yaml", ...names.map((name) => `overrides/compose.${name}.yaml`)];
}

describe("frappe_docker", () => {
  test("gets MariaDB, Redis and a port where nobody is asked", async () => {
    await lay(FRAPPE);
    const { plan, apart, isFrappe } = await run();
    expect(isFrappe).toBe(true);
    expect(plan.files).toEqual(overrides("mariadb", "redis", "noproxy"));
    expect(plan.otherFiles).toEqual(
      overrides("https", "mariadb-secrets", "migrator", "our-own", "postgres").slice(1),
    );
    expect(apart).toEqual(["overrides/compose.traefik.yaml"]);
  });

  test("asks which overrides, one of those that exclude each other, and again after a wrong answer", async () => {
    await lay(FRAPPE);
    const { questions, shown } = typing("7", "postgres", "3", "", "2", "9", "2, 1", "Bad Name", "bench");
    const { plan } = await run({ questions });
    expect(plan.files).toEqual(overrides("postgres", "redis", "https", "migrator", "our-own"));
    expect(plan).toMatchObject({ name: "bench", oneShots: ["migrator"] });
    expect(shown()).toContain("Answer with a number from 1 to 4");
    expect(shown()).toContain("Answer with numbers from 1 to 2");
    expect(shown()).toContain("It must be lower-case letters");
    expect(shown()).not.toContain("traefik.yaml");
  });

  test("takes an override together with the one that it stands on", async () => {
    await lay(FRAPPE);
    const { plan } = await run({ questions: typing("2", "", "", "", "").questions });
    expect(plan.files).toEqual(overrides("mariadb", "mariadb-secrets", "redis", "noproxy"));
  });
});

test("without an answer nothing is written", async () => {
  await lay(FRAPPE);
  await expect(run({ questions: typing("1", "1").questions })).rejects.toMatchObject({ code: "interrupted" });
  expect(await readdir(folder)).not.toContain("drybag.yaml");
});
