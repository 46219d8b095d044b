import { appendFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { appendToJournal, type JournalLine, readJournal, unsettledTags } from "./journal.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "drybag-journal-"));
});
afterEach(() => rm(folder, { recursive: true }));

test("a line cut off by a crash is passed over and harms no other", async () => {
  const path = join(folder, "journal.ndjson");
  await appendToJournal(path, { step: "release-placed", release: "1-a" });
  await appendFile(path, '{"step":"up-st');
  await appendToJournal(path, { step: "committed", release: "1-a" });
  expect((await readJournal(path)).map(({ step }) => step)).toEqual(["release-placed", "committed"]);
});

test("there is nothing to read where there is no journal", async () => {
  expect(await readJournal(join(folder, "journal.ndjson"))).toEqual([]);
});

const recorded = { step: "tags-recorded", tags: [{ tag: "a:1", imageId: null }] } as const;

test.each([
  ["a load that was cut off", [recorded], ["a:1"]],
  ["a load that was confirmed", [recorded, { step: "images-loaded", tags: ["a:1"] }], []],
  ["a load that was undone", [recorded, { step: "tags-restored" }], []],
  ["an older load, then one cut off", [recorded, { step: "tags-restored" }, recorded], ["a:1"]],
  ["nothing", [], []],
])("tags to put back after %s", (_, steps, tags) => {
  const lines = steps.map((step) => ({ time: "", ...step })) as JournalLine[];
  expect(unsettledTags(lines).map(({ tag }) => tag)).toEqual(tags);
});
