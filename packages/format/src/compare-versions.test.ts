import { expect, test } from "vitest";
import { compareVersions } from "./compare-versions.ts";

test.each([
  ["1.0", "1.0.1"],
  ["v16.2.0", "v16.10.0"],
  ["20251118-4c860c6", "20251203-0a1b2c3"],
  ["1.9", "2.0-rc1"],
])("%s is older than %s", (older, newer) => {
  expect(compareVersions(older, newer)).toBeLessThan(0);
  expect(compareVersions(newer, older)).toBeGreaterThan(0);
});

test.each([
  ["1.0", "1.0"],
  ["20251118-4c860c6", "20251118-9999999"],
  ["20251118-4c860c6", "20251118-4c860c6-dirty"],
])("of %s and %s, none is the older", (a, b) => {
  expect(compareVersions(a, b)).toBe(0);
});
