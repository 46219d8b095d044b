import { expect, test } from "vitest";
import { parseTail } from "./logs-command.ts";
import { parseKeep } from "./prune-command.ts";
import { parseFingerprint, parseSeconds, stackName } from "./site-flags.ts";

const FINGERPRINT = `SHA256:${"aB3+/".repeat(8)}xyz`;

test.each([
  ["a fingerprint", parseFingerprint, FINGERPRINT, FINGERPRINT],
  ["a number of lines", parseTail, "20", 20],
  ["all lines", parseTail, "all", "all"],
  ["no release to keep", parseKeep, "0", 0],
  ["seconds", parseSeconds, "600", 600],
  ["a stack", stackName, "erp-2_x", "erp-2_x"],
])("%s", (_, parse: (text: string) => unknown, text, value) => {
  expect(parse(text)).toBe(value);
});

test.each([
  ["a fingerprint without its hash", parseFingerprint, FINGERPRINT.slice(7)],
  ["a fingerprint that is cut", parseFingerprint, FINGERPRINT.slice(0, -1)],
  ["a negative number of lines", parseTail, "-1"],
  ["an empty number of releases", parseKeep, ""],
  ["no time at all", parseSeconds, "0"],
  ["a stack above its folder", stackName, "../erp"],
  ["a hidden stack", stackName, ".erp"],
])("%s is refused", (_, parse: (text: string) => unknown, text) => {
  expect(() => parse(text)).toThrow();
});
