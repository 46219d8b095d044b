import { expect, test } from "vitest";
import { previousRelease } from "./list-releases.ts";

test.each([
  ["the one before", ["a", "b"], "b", ["a", "b"], "a"],
  ["none at the first", ["a"], "a", ["a"], undefined],
  ["after a rollback, the one that was left", ["a", "b", "a"], "a", ["a", "b"], "b"],
  ["not one that is gone", ["a", "b", "c"], "c", ["a", "c"], "a"],
  ["not one that was never healthy", ["a"], "a", ["a", "b"], undefined],
  ["not the same again", ["a", "b", "b"], "b", ["a", "b"], "a"],
])("%s", (_, history, current, present, previous) => {
  expect(previousRelease(history, current, present)).toBe(previous);
});
