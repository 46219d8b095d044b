import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { readComposeDocuments } from "./compose-document.ts";
import { passedVariablesOf } from "./passed-variables.ts";

test("variables that are handed on by their name alone, in lists and mappings, with their places", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "drybag-passed-"));
  try {
    const file = path.join(folder, "compose.yaml");
    await writeFile(
      file,
      `x-env: &env
  SHARED:
services:
  a:
    environment: [LISTED, "GIVEN=1", "EMPTY="]
  b:
    environment:
      <<: *env
      MAPPED:
      NUMBER: 1
      TEXT: ""
  c: {}
`,
    );
    const [document] = await readComposeDocuments(file);
    const found = document ? passedVariablesOf(document) : [];
    expect(found.map(({ name, position }) => [name, position.line])).toEqual([
      ["LISTED", 5],
      ["MAPPED", 9],
      ["SHARED", 2],
    ]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
