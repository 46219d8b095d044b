import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { ComposeModel } from "@drybag/docker";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readComposeGraph } from "../compose/compose-graph.ts";
import { parseConfigDocument } from "../config/config-document.ts";
import { configOf } from "../config/load-config.ts";
import { type CollectedFiles, collectFiles } from "./collect-files.ts";

let root: string;

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), "drybag-files-"));
  await lay("deploy/compose.yaml", "services: {}\n");
  for (const name of [
    "deploy/.env",
    "deploy/web.env",
    "deploy/conf/a.conf",
    "deploy/conf/old/b.log",
    "deploy/key",
  ]) {
    await lay(name, name);
  }
  for (const name of ["docs/a.md", "docs/img/b.png", "docs/.hidden.md", "notes.md", "debug.log", ".git/x.md"])
    await lay(name, name);
});
afterEach(() => rm(root, { recursive: true }));

async function lay(name: string, text: string): Promise<void> {
  await mkdir(path.dirname(path.join(root, name)), { recursive: true });
  await writeFile(path.join(root, name), text);
}

/** A project in `deploy` that mounts `conf` and has a secret, with this `files` in a drybag.yaml above it. */
async function collect(files?: string): Promise<CollectedFiles & { entries: string[] }> {
  const deploy = path.join(root, "deploy");
  const config = files && configOf(parseConfigDocument(path.join(root, "drybag.yaml"), `files: ${files}`));
  const model: ComposeModel = {
    name: "shop",
    services: { web: { volumes: [{ type: "bind", source: path.join(deploy, "conf"), target: "/conf" }] } },
    secrets: { key: { file: path.join(deploy, "key") } },
  };
  const collected = await collectFiles({
    sources: {
      projectDirectory: deploy,
      composeFiles: [path.join(deploy, "compose.yaml")],
      envFiles: [path.join(deploy, ".env")],
      profiles: [],
    },
    model,
    graph: await readComposeGraph([path.join(deploy, "compose.yaml")], deploy, {}),
    environment: {},
    unknownVariables: [],
    serviceFiles: [{ path: path.join(deploy, "web.env"), required: true }],
    settings: [],
    packedEnvironment: {},
    variables: {},
    config: config ? config.project : undefined,
    findings: [],
  });
  return { ...collected, entries: collected.files.map(({ entry }) => entry.replace(/^project\//, "")) };
}

const OWN = [".env", "compose.yaml", "conf/a.conf", "conf/old/b.log", "key", "web.env"];
const FROM_ABOVE = OWN.map((name) => `deploy/${name}`);

test("without drybag.yaml: what Compose names", async () => {
  const { entries, findings, root: packed } = await collect();
  expect(entries).toEqual(OWN);
  expect(findings).toEqual([]);
  expect(packed).toBe(path.join(root, "deploy"));
});

test.each<[string, string[]]>([
  ["[notes.md]", ["notes.md"]],
  ["[docs]", ["docs/.hidden.md", "docs/a.md", "docs/img/b.png"]],
  ["[docs/, ./notes.md]", ["docs/.hidden.md", "docs/a.md", "docs/img/b.png", "notes.md"]],
  ["['**/*.md']", ["docs/.hidden.md", "docs/a.md", "notes.md"]],
  ["['docs/*.{md,png}']", ["docs/.hidden.md", "docs/a.md"]],
  ["['do*']", ["docs/.hidden.md", "docs/a.md", "docs/img/b.png"]],
])("include %s carries them in their place", async (patterns, more) => {
  const { entries, findings } = await collect(`{ include: ${patterns} }`);
  expect(entries.filter((entry) => !FROM_ABOVE.includes(entry))).toEqual(more);
  expect(entries).toEqual(expect.arrayContaining(FROM_ABOVE));
  expect(findings).toEqual([]);
});

test.each<[string, string[]]>([
  ["['**/*.log']", ["conf/old/"]],
  ["[deploy/conf/old]", []],
  ["[deploy/conf/old/]", []],
  ["['deploy/conf/**']", ["conf/"]],
])("exclude %s leaves out what is in a mounted folder, and keeps the folder", async (patterns, folders) => {
  const { entries, findings } = await collect(`{ exclude: ${patterns} }`);
  expect(entries).not.toContain("conf/old/b.log");
  expect(entries.filter((entry) => entry.endsWith("/"))).toEqual(folders);
  expect(findings.map(({ code }) => code)).toEqual([]);
});

test("what a service would miss is told, whatever included it", async () => {
  const { entries, findings } = await collect(
    "{ include: [deploy/key], exclude: [deploy/key, deploy/conf] }",
  );
  expect(entries).toEqual(
    [".env", "compose.yaml", "web.env"].map((name) => expect.stringMatching(`${name}$`)),
  );
  expect(
    findings.map(({ code, message }) => [
      code,
      /bind mount of service 'web'|secret 'key'/.exec(message)?.[0],
    ]),
  ).toEqual([
    ["file-left-out", "bind mount of service 'web'"],
    ["file-left-out", "secret 'key'"],
  ]);
});

test("a pattern that matches nothing is told, with its place", async () => {
  const { findings } = await collect("{ include: ['*.txt'], exclude: ['*.log', '**/*.tmp'] }");
  expect(findings).toMatchObject([
    { code: "pattern-unused", position: { line: 1, column: 20 } },
    { code: "pattern-unused", position: { line: 1, column: 40 } },
    { code: "pattern-unused", position: { line: 1, column: 49 } },
  ]);
});

describe("refused:", () => {
  test.each([
    ["{ include: [gone.md] }", "file-missing", /drybag.yaml:1:20: gone.md, which files.include names/],
    [
      "{ exclude: [deploy/compose.yaml] }",
      "config-invalid",
      /:1:20: 'deploy\/compose.yaml' leaves out deploy\/compose.yaml/,
    ],
    [
      "{ exclude: ['**/*.env'] }",
      "config-invalid",
      /:1:20: .* leaves out deploy\/.env, deploy\/web.env, which Compose needs/,
    ],
    [
      "{ exclude: [deploy] }",
      "config-invalid",
      /leaves out deploy\/compose.yaml, deploy\/.env, deploy\/web.env/,
    ],
    ["{ exclude: [deploy/.env, deploy/web.env] }", "config-invalid", /:1:20: [^\n]*\n[^\n]*:1:33: /],
  ])("%s", async (files, code, message) => {
    await expect(collect(files)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });
});
