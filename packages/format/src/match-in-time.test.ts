import { expect, test } from "vitest";
import { matchInTime } from "./match-in-time.ts";

test.each([
  ["^a$", "u", ["b", "a"], "match"],
  ["^a$", "um", ["b\na"], "match"],
  ["^a$", "u", ["b", "aa"], "no match"],
  ["^a$", "u", [], "no match"],
  ["^(a+)+$", "u", [`${"a".repeat(50)}!`], "unknown"],
  ["(", "u", ["a"], "unknown"],
])("%s with flags %s on %j: %s", (pattern, flags, texts, found) => {
  const startedMs = performance.now();
  expect(matchInTime(pattern, flags, texts)).toBe(found);
  expect(performance.now() - startedMs).toBeLessThan(30_000);
});
