import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { isDrybagError } from "@drybag/errors";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readComposeGraph } from "../compose/compose-graph.ts";
import { readEnvFile } from "../compose/env-file.ts";
import { loadConfig } from "../config/load-config.ts";
import { sketchModel } from "../lint/testing/sketch-model.ts";
import type { OutdatedItem } from "../outdated/outdated-item.ts";
import { imagePins } from "../pins/image-pins.ts";
import { findNewer } from "../versions/find-newer.ts";
import { type BumpWish, chooseChanges } from "./choose-changes.ts";
import { writeFiles } from "./edit-files.ts";
import { planBump } from "./plan-bump.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "drybag-bump-"));
});
afterEach(() => rm(folder, { recursive: true }));

type Files = Record<string, string>;
type Tags = Record<string, string[]>;

async function itemsOf(files: Files, tags: Tags, own: Record<string, string> = {}): Promise<OutdatedItem[]> {
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(folder, name), text);
  const at = (name: string) => path.join(folder, name);
  const config =
    files["drybag.yaml"] === undefined ? undefined : (await loadConfig(at("drybag.yaml"))).project;
  const declared = config?.settings.flatMap(({ name, default: value }) =>
    value === undefined ? [] : [[name, value]],
  );
  const values = (await readEnvFile(at(".env")))?.values ?? {};
  const environment = { ...values, ...Object.fromEntries(declared ?? []), ...own };
  const composeFiles = [at("compose.yaml")];
  const pins = await imagePins(
    {
      sources: {
        projectDirectory: folder,
        composeFiles,
        envFiles: files[".env"] ? [at(".env")] : [],
        profiles: [],
      },
      environment,
      config,
      graph: await readComposeGraph(composeFiles, folder, environment),
      model: await sketchModel(composeFiles, folder, environment),
    },
    own,
  );
  return pins.map((pin) => {
    const known = new Set(tags[pin.name]);
    const newer = pin.tag === undefined ? undefined : findNewer(pin.tag, known);
    const common = { moved: undefined, problem: undefined };
    return { pin: { image: pin }, name: pin.name, current: pin.tag ?? "", tags: known, newer, ...common };
  });
}

/** What the last bump left out. */
let left: string[] = [];

async function bump(
  files: Files,
  tags: Tags,
  wish: Partial<BumpWish> = {},
  own: Record<string, string> = {},
  isNamed = true,
) {
  const items = await itemsOf(files, tags, own);
  const changes = chooseChanges(items, { names: [], to: undefined, step: "major", ...wish });
  const { files: planned, leftOut } = await planBump(
    { items, refs: new Map(), registry: { readDigest: async () => `sha256:${"b".repeat(64)}` } },
    changes,
    { isNamed, cwd: folder, signal: new AbortController().signal },
  );
  await writeFiles(planned);
  left = leftOut.map(({ name, error }) => `${name}: ${error.code}`);
  const after: Files = {};
  for (const name of Object.keys(files)) after[name] = await readFile(path.join(folder, name), "utf8");
  return after;
}

/** A service that runs an image, written so. */
const web = (image: string) => `services:\n  web:\n    image: ${image}\n`;

describe("the tag is changed where it stands:", () => {
  test.each<[string, Files, Tags, Files]>([
    [
      "a plain value, a comment behind it",
      { "compose.yaml": web("redis:8.6-alpine   # cache") },
      { redis: ["8.8-alpine"] },
      { "compose.yaml": web("redis:8.8-alpine   # cache") },
    ],
    [
      "quotes, a registry with a port",
      { "compose.yaml": web(`'localhost:5000/a/b:1.0'`) },
      { "localhost:5000/a/b": ["1.1"] },
      { "compose.yaml": web(`'localhost:5000/a/b:1.1'`) },
    ],
    [
      "an anchor, and the alias of a whole service",
      {
        "compose.yaml": `x-a: &a\n  image: &img "redis:8.6"\nservices:\n  a: {<<: *a}\n  b: {image: *img}\n`,
      },
      { redis: ["8.8"] },
      {
        "compose.yaml": `x-a: &a\n  image: &img "redis:8.8"\nservices:\n  a: {<<: *a}\n  b: {image: *img}\n`,
      },
    ],
    [
      "a variable of the env file, quoted there, with export",
      { "compose.yaml": web("redis:${V}-alpine"), ".env": `# which\nexport V="8.6" # redis\nOTHER=8.6\n` },
      { redis: ["8.8-alpine"] },
      { "compose.yaml": web("redis:${V}-alpine"), ".env": `# which\nexport V="8.8" # redis\nOTHER=8.6\n` },
    ],
    [
      "the last line where a variable stands twice",
      { "compose.yaml": web("redis:$V"), ".env": `V=8.6\nV=8.6\n` },
      { redis: ["8.8"] },
      { "compose.yaml": web("redis:$V"), ".env": `V=8.6\nV=8.8\n` },
    ],
    [
      "a default in the Compose file, also one within another",
      { "compose.yaml": web('"redis:${V:-${W:-8.6}-alpine}"') },
      { redis: ["8.8-alpine"] },
      { "compose.yaml": web('"redis:${V:-${W:-8.8}-alpine}"') },
    ],
    [
      "a variable that holds the whole reference",
      { "compose.yaml": web("${IMAGE}"), ".env": "IMAGE=redis:8.6\r\nB=1\r\n" },
      { redis: ["8.8"] },
      { "compose.yaml": web("${IMAGE}"), ".env": "IMAGE=redis:8.8\r\nB=1\r\n" },
    ],
    [
      "a setting of drybag.yaml, which wins over the env file",
      {
        "compose.yaml": web("redis:${V}"),
        ".env": "V=8.2\n",
        "drybag.yaml": "settings:\n  V: {default: 8.6}   # pinned\n",
      },
      { redis: ["8.8"] },
      { ".env": "V=8.2\n", "drybag.yaml": "settings:\n  V: {default: 8.8}   # pinned\n" },
    ],
    [
      "images beside those of services",
      {
        "compose.yaml": `services:\n  a: {image: "x:1", volumes: [{type: image, source: "v:1.0", target: /v}]}\n`,
        "drybag.yaml": "images:\n  extra:\n    - e:1.0\n",
      },
      { v: ["1.1"], e: ["1.1"] },
      {
        "compose.yaml": `services:\n  a: {image: "x:1", volumes: [{type: image, source: "v:1.1", target: /v}]}\n`,
        "drybag.yaml": "images:\n  extra:\n    - e:1.1\n",
      },
    ],
    [
      "tag and digest together",
      { "compose.yaml": web(`redis:8.6@sha256:${"a".repeat(64)}`) },
      { redis: ["8.8"] },
      { "compose.yaml": web(`redis:8.8@sha256:${"b".repeat(64)}`) },
    ],
    [
      "one variable for two images",
      { "compose.yaml": `services:\n  a: {image: "a:$V"}\n  b: {image: "b:$V"}\n`, ".env": "V=1.0\n" },
      { a: ["1.1"], b: ["1.1"] },
      { ".env": "V=1.1\n" },
    ],
    [
      "the image that a Dockerfile builds on",
      {
        "compose.yaml": "services:\n  a: {build: .}\n",
        Dockerfile: "# base\nFROM --platform=linux/amd64 debian:12.1 AS x\n",
      },
      { debian: ["12.5"] },
      { Dockerfile: "# base\nFROM --platform=linux/amd64 debian:12.5 AS x\n" },
    ],
    [
      "the image that a build of drybag.yaml builds on",
      {
        "compose.yaml": web("x:1"),
        "drybag.yaml": "builds:\n  a: {needs: [b]}\n  b: {file: b.Dockerfile, args: {V: 1}}\n",
        Dockerfile: "FROM b\nCOPY --from=tools:2.1 / /\n",
        "b.Dockerfile": "FROM debian:12.1\n",
      },
      { debian: ["12.5"], tools: ["2.2"], b: ["9"] },
      { Dockerfile: "FROM b\nCOPY --from=tools:2.2 / /\n", "b.Dockerfile": "FROM debian:12.5\n" },
    ],
  ])("%s", async (_title, files, tags, expected) => {
    expect(await bump(files, tags)).toMatchObject(expected);
  });
});

async function refusal(run: Promise<unknown>): Promise<{ code: string; message: string }> {
  const error = await run.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!isDrybagError(error)) throw new Error("it was not refused", { cause: error });
  return { code: error.code, message: error.message };
}

describe("refused, and nothing is written:", () => {
  test.each<[string, Files, Tags, Partial<BumpWish>, RegExp, Record<string, string>?]>([
    [
      "a value of the command's environment",
      { "compose.yaml": web("redis:$V"), ".env": "V=8.6\n" },
      { redis: ["8.8"] },
      {},
      /V has its value from the environment/,
      { V: "8.6" },
    ],
    [
      "two variables that would both have to change",
      { "compose.yaml": web("redis:$A.$B"), ".env": "A=8\nB=6\n" },
      { redis: ["9.1"] },
      {},
      /'8.6' is put together from several values/,
    ],
    [
      "one variable of which another image has no such tag",
      { "compose.yaml": `services:\n  a: {image: "a:$V"}\n  b: {image: "b:$V"}\n`, ".env": "V=1.0\n" },
      { a: ["1.1"], b: ["1.0"] },
      { names: ["a"] },
      /b has no 1\.1/,
    ],
    [
      "a value with escapes",
      { "compose.yaml": web(String.raw`"redis:8\u002e6"`) },
      { redis: ["8.8"] },
      {},
      /compose\.yaml:3:12: .*not written plainly/,
    ],
    [
      "a base that an argument chooses",
      { "compose.yaml": "services:\n  a: {build: .}\n", Dockerfile: "ARG V=12.1\nFROM debian:$V\n" },
      { debian: ["12.5"] },
      {},
      /Dockerfile:2:6/,
    ],
  ])("%s", async (_title, files, tags, wish, message, own = {}) => {
    const told = await refusal(bump(files, tags, wish, own));
    expect(told).toMatchObject({ code: "place-unknown", message: expect.stringMatching(message) });
    for (const [name, text] of Object.entries(files))
      expect(await readFile(path.join(folder, name), "utf8")).toBe(text);
  });
});

test("without a name, what cannot be changed is left out, and the rest is written", async () => {
  const files = {
    "compose.yaml": `services:\n  a: {image: "redis:8.6"}\n  b: {image: "x:1\\u002e0"}\n  c: {build: .}\n`,
    Dockerfile: "ARG V=12.1\nFROM debian:$V\n",
  };
  const after = await bump(files, { redis: ["8.8"], x: ["1.1"], debian: ["12.5"] }, {}, {}, false);
  expect(after).toEqual({ ...files, "compose.yaml": files["compose.yaml"].replace("8.6", "8.8") });
  expect(left).toEqual(["debian: place-unknown", "x: place-unknown"]);
});

test("frappe_docker's own bases go with frappe", async () => {
  const files = {
    "compose.yaml": web("redis:8"),
    "drybag.yaml": "recipe: frappe\nfrappe: {version: v15.1.0, buildArgs: {PYTHON_VERSION: 3.11.6}}\n",
    Containerfile:
      "ARG FRAPPE_BRANCH=version-15\nARG PYTHON_VERSION\nFROM frappe/build:${FRAPPE_BRANCH}\nFROM python:${PYTHON_VERSION}-slim\n",
  };
  const items = await itemsOf(files, {});
  expect(items.map(({ name, current }) => `${name}:${current}`)).toEqual(["python:3.11.6-slim", "redis:8"]);
});

describe("what is chosen", () => {
  const files = {
    "compose.yaml": `services:\n  cache: {image: "redis:8.6.0"}\n  db: {image: "mariadb:11.8"}\n`,
  };
  const tags = { redis: ["8.6.1", "8.8.0", "9.0.0", "nightly"], mariadb: ["11.8", "12.0"] };

  test.each<[Partial<BumpWish>, string[]]>([
    [{ step: "patch" }, ["redis 8.6.1"]],
    [{ step: "minor" }, ["redis 8.8.0"]],
    [{ step: "major" }, ["mariadb 12.0", "redis 9.0.0"]],
    [{ names: ["db"] }, ["mariadb 12.0"]],
    [{ names: ["redis"], to: "8.6.1" }, ["redis 8.6.1"]],
    [{ names: ["redis"], to: "nightly" }, ["redis nightly"]],
    [{ names: ["redis"], to: "8.6.0" }, []],
  ])("%j: %j", async (wish, expected) => {
    const items = await itemsOf(files, tags);
    const changes = chooseChanges(items, { names: [], to: undefined, step: "major", ...wish });
    expect(changes.map(({ item, to }) => `${item.name} ${to}`)).toEqual(expected);
  });

  test.each<[Partial<BumpWish>, string]>([
    [{ names: ["rdeis"] }, "usage"],
    [{ to: "9" }, "usage"],
    [{ names: ["redis", "db"], to: "9" }, "usage"],
    [{ names: ["redis"], to: "9\n" }, "usage"],
    [{ names: ["redis"], to: "9.9.9" }, "tag-not-found"],
  ])("%j is refused: %s", async (wish, code) => {
    expect(await refusal(bump(files, tags, wish))).toMatchObject({ code });
  });
});

test("what drybag.yaml builds is no registry's", async () => {
  const files = {
    "compose.yaml": `services:\n  a: {image: "\${CUSTOM_IMAGE:-frappe/erpnext}:\${CUSTOM_TAG:-v15.1.0}"}\n  b: {image: "shop/b:1"}\n  c: {image: "redis:8"}\n`,
    "drybag.yaml": "recipe: frappe\nfrappe: {version: v15.1.0}\nbuilds: {b: {image: shop/b}}\n",
  };
  expect((await itemsOf(files, {})).map(({ name }) => name)).toEqual(["redis"]);
});
