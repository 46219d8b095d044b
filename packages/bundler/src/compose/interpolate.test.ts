import { expect, test } from "vitest";
import { interpolate } from "./interpolate.ts";

const env = { A: "a", EMPTY: "" };

test.each([
  ["x-$A-$$A", "x-a-$A"],
  // biome-ignore-start lint/suspicious/noTemplateCurlyInString: Compose syntax
  ["${A}/${B}", "a/"],
  ["${B:-b}${EMPTY:-c}${EMPTY-d}", "bc"],
  ["${B:-${A}!}", "a!"],
  ["${A:+yes}${B:+no}", "yes"],
  ["${A:?must}", "a"],
  // biome-ignore-end lint/suspicious/noTemplateCurlyInString: Compose syntax
  ["100$", "100$"],
])("%s becomes %s", (text, expected) => {
  expect(interpolate(text, env)).toBe(expected);
});
