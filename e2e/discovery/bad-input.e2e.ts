import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Lab, labUp, readLabEnvironment } from "@drybag/lab";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runDrybag } from "../support/run-programs.ts";

const TIME_LIMIT_MS = 10_000;
const MEMORY_LIMIT_BYTES = 300 * 1024 * 1024;

let lab: Lab;
let work: string;

beforeAll(async () => {
  lab = await labUp({ name: "badinput", environment: readLabEnvironment(process.env) });
  work = await mkdtemp(path.join(tmpdir(), "drybag-badinput-"));
});
afterAll(async () => {
  await rm(work, { recursive: true, force: true });
  await lab?.[Symbol.asyncDispose]();
});

const bomb = [
  "x-a: &a [x, x, x, x, x, x, x, x, x, x]",
  ..."bcdefghij".split("").map((name, index) => {
    const before = "abcdefghij"[index];
    return `x-${name}: &${name} [${Array.from({ length: 10 }, () => `*${before}`).join(", ")}]`;
  }),
  "services: {s: {image: redis:8, labels: *j}}",
].join("\n");

const web = "services:\n  web:\n    image: nginx:1\n";

test.each<[string, Record<string, string | Buffer>, RegExp]>([
  ["broken YAML", { "compose.yaml": "services:\n  web:\n   image: [a\n  b: c\n" }, /compose\.yaml:\d+:\d+: /],
  [
    "broken YAML in an included file",
    { "compose.yaml": "include: [sub.yaml]\n", "sub.yaml": "services: {web: {image: 'nginx}\n" },
    /sub\.yaml:\d+:\d+: /,
  ],
  [
    "a circle of extends in a file",
    { "compose.yaml": "services:\n  a: {extends: b}\n  b: {extends: a}\n" },
    /ircular|circle|cycle/,
  ],
  [
    "a circle of extends across files",
    {
      "compose.yaml": "services:\n  a: {extends: {file: b.yaml, service: b}}\n",
      "b.yaml": "services:\n  b: {extends: {file: compose.yaml, service: a}}\n",
    },
    /ircular|circle|cycle/,
  ],
  [
    "a circle of includes",
    { "compose.yaml": "include: [b.yaml]\n", "b.yaml": "include: [compose.yaml]\n" },
    /compose\.yaml:1:\d+|b\.yaml:1:\d+|cycle/,
  ],
  ["a missing include", { "compose.yaml": `include:\n  - gone.yaml\n${web}` }, /gone\.yaml/],
  [
    "a remote include",
    { "compose.yaml": `include:\n  - https://git.example/x.git\n${web}` },
    /compose\.yaml:2:5: .*network/,
  ],
  [
    "a missing file to extend",
    { "compose.yaml": "services:\n  a:\n    extends: {file: gone.yaml, service: a}\n" },
    /gone\.yaml/,
  ],
  ["a missing env file", { "compose.yaml": `${web}    env_file: gone.env\n` }, /gone\.env/],
  [
    "a binary file",
    { "compose.yaml": Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 0, 0, 1, 0xff]) },
    /compose\.yaml:1:\d+: .*text/,
  ],
  [
    "a file of 50 MB",
    { "compose.yaml": Buffer.from(`${web}#${"x".repeat(99)}\n`.repeat(400_000)) },
    /compose\.yaml:1:1: .*large/,
  ],
  ["a bomb of aliases", { "compose.yaml": bomb }, /compose\.yaml:1:1: .*aliases/],
  ["a list instead of a mapping", { "compose.yaml": "- a\n- b\n" }, /compose\.yaml:1:1: /],
  ["an empty file", { "compose.yaml": "" }, /./],
  ["a folder of that name", { "compose.yaml/x": "" }, /compose\.yaml/],
])("%s: one clear error, soon and within bounds", async (_title, files, message) => {
  const cwd = await mkdtemp(path.join(work, "project-"));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(cwd, name)), { recursive: true });
    await writeFile(path.join(cwd, name), content);
  }
  const startedMs = performance.now();
  const run = await runDrybag(lab.connected, ["images"], { cwd });
  expect(performance.now() - startedMs).toBeLessThan(TIME_LIMIT_MS);
  expect(run.exitCode, run.stderr).toBe(3);
  expect(run.stderr).toMatch(message);
  expect(run.stderr).not.toMatch(/^\s+at .*:\d+|defect/m);
  expect(run.stderr.split("\n").length).toBeLessThan(12);
  expect(run.stdout).toBe("");
  for (const [, bytes] of run.peakBytes) expect(bytes).toBeLessThan(MEMORY_LIMIT_BYTES);
});
