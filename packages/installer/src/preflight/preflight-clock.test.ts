import { expect, test } from "vitest";
import { checkClock } from "./preflight-clock.ts";

const NOW = Date.UTC(2026, 5, 1);
const MONTH = 30 * 24 * 60 * 60_000;
const none = { bundleMs: 0, journalMs: 0 };

test.each([
  ["a server that woke up in 1970", 0, none],
  ["a bundle from the future", NOW, { ...none, bundleMs: NOW + MONTH }],
  ["a clock that was set back", NOW, { ...none, journalMs: NOW + MONTH }],
])("%s has a wrong clock", (_, nowMs, earlier) => {
  expect(checkClock(nowMs, earlier)).toMatchObject([{ code: "clock-wrong", severity: "warning" }]);
});

test("a clock that can be right is not doubted, nor is one that differs a little", () => {
  expect(checkClock(NOW, { bundleMs: NOW - MONTH, journalMs: NOW - MONTH })).toEqual([]);
  expect(checkClock(NOW, { bundleMs: NOW + 60_000, journalMs: NOW + 60_000 })).toEqual([]);
});
