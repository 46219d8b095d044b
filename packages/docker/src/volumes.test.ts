import { expect, test } from "vitest";
import { parseSize } from "./volumes.ts";

test.each([
  ["0B", 0],
  ["4B", 4],
  ["1.5kB", 1500],
  ["12.34MB", 12_340_000],
  ["1.234GB", 1_234_000_000],
  ["2TB", 2e12],
  ["N/A", undefined],
  ["", undefined],
])("%j is %j bytes", (text, sizeBytes) => {
  expect(parseSize(text)).toBe(sizeBytes);
});
