import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readElfFacts } from "./elf-facts.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "drybag-elf-"));
});
afterEach(() => rm(folder, { recursive: true }));

/** A header and the types of its segments. */
function elf(machine: number, types: number[]): Buffer {
  const bytes = Buffer.alloc(64 + 56 * types.length);
  bytes.write("\x7fELF\x02\x01", "latin1");
  bytes.writeUInt16LE(machine, 18);
  bytes.writeBigUInt64LE(64n, 32);
  bytes.writeUInt16LE(56, 54);
  bytes.writeUInt16LE(types.length, 56);
  for (const [index, type] of types.entries()) bytes.writeUInt32LE(type, 64 + 56 * index);
  return bytes;
}

test.each([
  ["a static program", elf(0x3e, [1, 1]), { architecture: "amd64", isStatic: true }],
  ["one with a loader", elf(0xb7, [6, 3, 1]), { architecture: "arm64", isStatic: false }],
  ["another machine", elf(0xf3, [1]), { architecture: undefined, isStatic: true }],
  ["a script", Buffer.from(`#!/bin/sh\n${"#".repeat(100)}`), undefined],
  ["half a header", elf(0x3e, [1]).subarray(0, 40), undefined],
  ["half a table", elf(0x3e, [1, 1]).subarray(0, 100), undefined],
])("%s", async (_, bytes, facts) => {
  await writeFile(join(folder, "program"), bytes);
  expect(await readElfFacts(join(folder, "program"))).toEqual(facts);
});
