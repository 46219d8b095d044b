// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Compose syntax
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ComposeGraph, readComposeGraph } from "../compose/compose-graph.ts";
import { entriesOf, keyPosition, positionAt } from "./places.ts";

const FILES = {
  "compose.yaml": `include: [more/included.yaml]
x-base: &base
  restart: always
  environment: &env
    SHARED: "1"
services:
  web:
    <<: *base
    extends: {file: more/base.yaml, service: base}
    environment:
      <<: *env
      OWN: $V
  local: {extends: web}
`,
  "override.yaml": "services:\n  web:\n    restart: 'no'\n    environment: [OWN=2, 'EXTRA=${V:-x}']\n",
  "more/base.yaml":
    "services:\n  base: {image: a:1.0, extends: {file: deeper.yaml, service: deep}}\n  circle: {extends: circle}\n",
  "more/deeper.yaml": "services:\n  deep:\n    pull_policy: always\n",
  "more/included.yaml": "services:\n  other: {image: b:1.0}\n",
};

let folder: string;
let graph: ComposeGraph;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "drybag-places-"));
  await mkdir(path.join(folder, "more"));
  for (const [name, text] of Object.entries(FILES)) await writeFile(path.join(folder, name), text);
  const files = ["compose.yaml", "override.yaml"].map((file) => path.join(folder, file));
  graph = await readComposeGraph(files, folder, { V: "v" });
});

afterAll(() => rm(folder, { recursive: true }));

function show(position: { file: string; line: number; column: number } | undefined) {
  return position && `${path.relative(folder, position.file)}:${position.line}:${position.column}`;
}

test.each([
  ["the last file that has it", "web restart", "override.yaml:3:14"],
  ["what is extended in another file", "web image", "more/base.yaml:2:17"],
  ["what that extends in turn", "web pull_policy", "more/deeper.yaml:3:18"],
  ["what is extended in the same file", "local restart", "compose.yaml:3:12"],
  ["an included file", "other image", "more/included.yaml:2:18"],
  ["nowhere", "web command", undefined],
])("a value is found in %s", (_, keys, place) => {
  expect(show(positionAt(graph, "services", ...keys.split(" ")))).toBe(place);
});

test("a service is where it is first defined", () => {
  expect(show(keyPosition(graph, "services", "web"))).toBe("compose.yaml:7:3");
});

test("entries are read from lists and mappings, merges included, the one that counts first", () => {
  const entries = entriesOf(graph, "services", "web", "environment");
  expect(entries.map(({ name, value }) => `${name}=${value}`)).toEqual([
    "OWN=2",
    "EXTRA=v",
    "SHARED=1",
    "OWN=v",
  ]);
});

test("a circle ends", () => {
  expect(positionAt(graph, "services", "circle", "image")).toBeUndefined();
});
