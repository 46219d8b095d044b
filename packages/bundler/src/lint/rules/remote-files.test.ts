import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { readComposeDocuments } from "../../compose/compose-document.ts";
import type { LintProject } from "../lint-project.ts";
import { remoteFiles } from "./remote-files.ts";

async function placesIn(text: string): Promise<string[]> {
  const folder = await mkdtemp(path.join(tmpdir(), "drybag-lint-"));
  try {
    const file = path.join(folder, "compose.yaml");
    await writeFile(file, text);
    const documents = await readComposeDocuments(file);
    // It is for projects that cannot be read any further.
    const found = remoteFiles.check({ graph: { documents } } as unknown as LintProject);
    return found.map(({ position }) => `${position?.line}:${position?.column}`);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("files of another machine", async () => {
  const text = `include:
  - https://example.com/a.git
  - path: oci://registry.example/a
  - path: [./local.yaml, git@example.com:a.git]
services:
  a: {extends: {file: "https://example.com/b.yaml", service: b}}
`;
  expect(await placesIn(text)).toEqual(["2:5", "3:11", "4:26", "6:23"]);
});

test("files of this one, and other addresses", async () => {
  const text =
    "include: [./a.yaml]\nservices:\n  a:\n    extends: {file: b.yaml, service: b}\n    build: https://example.com/a.git\n    environment: {A: 'https://x'}\n";
  expect(await placesIn(text)).toEqual([]);
});
