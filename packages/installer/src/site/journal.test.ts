import { appendFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  appendToJournal,
  committedReleases,
  detachedVolumes,
  type JournalLine,
  readJournal,
  stoppedContainers,
  unendedTasks,
  unsettledLoad,
  wasStarted,
} from "./journal.ts";

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
  expect(unsettledLoad(lines).tags.map(({ tag }) => tag)).toEqual(tags);
});

test("what was taken away is not remembered as installed", () => {
  const line = (step: object) => ({ time: "", ...step }) as JournalLine;
  const installed = ["1-a", "2-b", "1-a"].flatMap((release) => [
    line({ step: "up-started", release }),
    line({ step: "committed", release }),
  ]);
  expect(committedReleases(installed)).toEqual(["1-a", "2-b", "1-a"]);
  expect(wasStarted(installed)).toBe(true);
  const gone = [...installed, line({ step: "uninstalled", volumes: false })];
  expect(committedReleases(gone)).toEqual([]);
  expect(wasStarted(gone)).toBe(false);
});

const lines = (...steps: object[]) => steps.map((step) => ({ time: "", ...step })) as JournalLine[];

test("tasks that nobody has seen end", () => {
  const started = (task: string) => ({ step: "task-started", task, id: "x", container: "c", pid: 1 });
  const open = unendedTasks(
    lines(started("a"), started("b"), { step: "task-done", task: "a" }, started("c"), {
      step: "task-failed",
      task: "c",
    }),
  );
  expect(open.map(({ task }) => task)).toEqual(["b"]);
  expect(unendedTasks(lines(started("a"), { step: "uninstalled", volumes: false }))).toEqual([]);
});

test.each([
  ["were stopped", [{ step: "stack-stopped", containers: ["1"] }], ["1"]],
  ["run again", [{ step: "stack-stopped", containers: ["1"] }, { step: "stack-started" }], []],
  [
    "were replaced",
    [
      { step: "stack-stopped", containers: ["1"] },
      { step: "up-started", release: "2" },
    ],
    [],
  ],
  ["were never touched", [], []],
])("containers that %s", (_, steps, ids) => {
  expect(stoppedContainers(lines(...steps))).toEqual(ids);
});

test("volumes without a name are known until a container has them, an uninstall or not", () => {
  const volumes = [{ service: "db", number: 1, target: "/data", name: "a" }];
  const nothing = { volumes: [], toRemove: [] };
  const toRemove = [{ service: "db", number: 1, target: "/old", name: "b" }];
  const detached = { step: "volumes-detached", volumes } as const;
  const uninstalled = { step: "uninstalled", volumes: false } as const;
  expect(detachedVolumes(lines(detached, uninstalled))).toEqual({ volumes, toRemove: [] });
  expect(detachedVolumes(lines({ ...detached, toRemove }))).toEqual({ volumes, toRemove });
  expect(detachedVolumes(lines(detached, { step: "volumes-attached" }))).toEqual(nothing);
  expect(detachedVolumes([])).toEqual(nothing);
});
