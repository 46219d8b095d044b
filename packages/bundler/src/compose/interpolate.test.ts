import { expect, test } from "vitest";
import { interpolate } from "./interpolate.ts";

const env = { A: "a", EMPTY: "" };

test.each([
  ["x-$A-$$A", "x-a-$A"],
  ["${A}/${B}", "a/"],
  ["${B:-b}${EMPTY:-c}${EMPTY-d}", "bc"],
  ["${B:-${A}!}", "a!"],
  ["${A:+yes}${B:+no}", "yes"],
  ["${A:?must}", "a"],
  ["100$", "100$"],
])("%s becomes %s", (text, expected) => {
  expect(interpolate(text, env)).toBe(expected);
});
