import { expect, test } from "vitest";
import { chooseRelease, previousRelease } from "./list-releases.ts";

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

test("a release is meant by its name, or by its version where that is enough", () => {
  const present = ["1.0-4292f241", "1.0-5d1a7b00", "2.0-aa", "2.0-aa-bb"];
  expect(chooseRelease("2.0-aa", present)).toBe("2.0-aa");
  expect(chooseRelease("2.0-aa-bb", present)).toBe("2.0-aa-bb");
  expect(chooseRelease("1", present)).toBe("1");
  expect(chooseRelease("3.0", present)).toBe("3.0");
  expect(chooseRelease("1.0-4292f241", ["1.0-4292f241"])).toBe("1.0-4292f241");
  expect(chooseRelease("1.0", ["1.0-4292f241", "1.0.1-9"])).toBe("1.0-4292f241");
  expect(() => chooseRelease("1.0", present)).toThrow(/1\.0-4292f241, 1\.0-5d1a7b00/);
});
