import { expect, test } from "vitest";
import type { JournalLine, JournalStep } from "../site/journal.ts";
import { checkJournal } from "./check-journal.ts";

const time = "2026-01-01T00:00:00.000Z";
const journal = (...steps: JournalStep[]): JournalLine[] => steps.map((step) => ({ time, ...step }));
const started = (release: string): JournalStep => ({
  step: "install-started",
  release,
  manifestSha256: "0",
  previousRelease: null,
});
const codes = (lines: JournalLine[], current: string) => checkJournal(lines, current).map(({ code }) => code);

test("an install that came to its end leaves nothing to say", () => {
  const lines = journal(
    started("1"),
    { step: "tags-recorded", tags: [{ tag: "a:1", imageId: null }] },
    { step: "images-loaded", tags: ["a:1"] },
    { step: "committed", release: "1" },
  );
  expect(codes(lines, "1")).toEqual([]);
});

test("one that was refused, or failed and was undone, neither", () => {
  const lines = journal(
    started("1"),
    { step: "committed", release: "1" },
    started("2"),
    { step: "tags-recorded", tags: [{ tag: "a:1", imageId: null }] },
    { step: "tags-restored" },
    started("2"),
    { step: "install-failed", release: "2", code: "unhealthy", message: "" },
  );
  expect(codes(lines, "1")).toEqual([]);
});

test("what was cut off is told, with the tags that it may have moved", () => {
  const lines = journal(started("1"), { step: "committed", release: "1" }, started("2"), {
    step: "tags-recorded",
    tags: [{ tag: "a:1", imageId: null }],
  });
  expect(codes(lines, "1")).toEqual(["install-unfinished", "tags-unsettled"]);
});

test("a link that somebody changed is told", () => {
  const lines = journal(started("1"), { step: "committed", release: "1" }, started("2"), {
    step: "committed",
    release: "2",
  });
  expect(codes(lines, "1")).toEqual(["current-differs"]);
});
