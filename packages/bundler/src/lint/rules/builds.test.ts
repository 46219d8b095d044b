import { expect, test } from "vitest";
import { lintFiles, places } from "../testing/lint-files.ts";
import { builds } from "./builds.ts";

test("builds, and what only developers or plugins have", async () => {
  const text = `services:
  a:
    build: .
    develop: {watch: [{path: ., action: rebuild}]}
  b:
    provider: {type: awesomecloud}
  c:
    image: a:1.0
models:
  llm: {model: ai/smollm2}
`;
  expect(places(await lintFiles(builds, text))).toEqual([
    "compose.yaml:3:5 info built-when-packing",
    "compose.yaml:4:5 info develop-watch",
    "compose.yaml:6:22 warning provider-service",
    "compose.yaml:10:16 warning model-service",
  ]);
});

test("what is only run is fine", async () => {
  expect(await lintFiles(builds, "services:\n  a: {image: a:1.0}\n")).toEqual([]);
});
