import { expect, test } from "vitest";
import { glyphs, supportsUnicode } from "./glyphs.ts";

test.each([
  [{}, false],
  [{ LANG: "C" }, false],
  [{ LANG: "en_US.UTF-8" }, true],
  [{ LANG: "C.utf8", LC_ALL: "POSIX" }, false],
  [{ LC_CTYPE: "C.UTF-8", LANG: "C" }, true],
  [{ LANG: "C.UTF-8", TERM: "linux" }, false],
])("the locale %j shows Unicode: %s", (env, expected) => {
  expect(supportsUnicode(env)).toBe(expected);
});

test("without Unicode, nothing but ASCII is drawn", () => {
  expect(Object.values(glyphs(false)).flat().join("")).toMatch(/^[\x20-\x7e]+$/);
});
