import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { DrybagError } from "@drybag/errors";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ComposeGraph, readComposeGraph } from "../compose/compose-graph.ts";
import { failureFinding } from "./lint-failure.ts";

const TEXT = `services:
  web.site:
    image: a:1.0
    imagee: b
    ports: 80
  db: {image: b, networks: [back], env_file: gone.env, depends_on: [web.site]}
wrong: 1
`;

let folder: string;
let graph: ComposeGraph;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "drybag-failure-"));
  const file = path.join(folder, "compose.yaml");
  await writeFile(file, TEXT);
  graph = await readComposeGraph([file], folder, {});
});

afterAll(() => rm(folder, { recursive: true }));

function refused(words: string) {
  const error = new DrybagError("project-invalid", "Docker Compose cannot read the project.", {
    detail: `time="…" level=warning msg="The \\"X\\" variable is not set."\n${words}\npassword: hunter2`,
    hint: "Mend what it names.",
  });
  return failureFinding(error, graph);
}

test.each([
  ["validating /x/compose.yaml: services.web.site additional properties 'imagee' not allowed", "4:5"],
  ["validating /x/compose.yaml: services.web.site.ports must be a array", "5:5"],
  ['service "db" refers to undefined network back: invalid compose project', "6:3"],
  ["invalid interpolation format for services.db.image.", "6:8"],
  ["validating /x/compose.yaml:  additional properties 'wrong', 'more' not allowed", "7:1"],
  ["dependency cycle detected: db -> web.site -> db", "6:56"],
])("what Compose complains of is placed: %s", (words, place) => {
  const { position, message, severity } = refused(words);
  expect(`${position?.line}:${position?.column}`).toBe(place);
  expect(severity).toBe("error");
  expect(message).toContain(words.replace(": invalid compose project", ""));
  expect(message).not.toContain("hunter2");
});

test.each([
  "dependency cycle detected: a -> b -> a",
  "services.gone.image is wrong",
  'service "gone" is not there',
])("what fits no key has no place: %s", (words) => {
  expect(refused(words).position).toBeUndefined();
});

test("an error that names its place keeps it", () => {
  const error = new DrybagError("project-invalid", "/srv/a b/compose.yaml:3:7: this is no mapping", {
    hint: "Mend it.",
  });
  expect(failureFinding(error, undefined)).toEqual({
    code: "project-invalid",
    severity: "error",
    message: "this is no mapping",
    remedy: "Mend it.",
    position: { file: "/srv/a b/compose.yaml", line: 3, column: 7 },
  });
});
