import { expect, test } from "vitest";
import { findNewer } from "./find-newer.ts";
import { parseTag } from "./parse-tag.ts";

test.each<[string, string[], object]>([
  ["8.6-alpine", ["8.8-alpine", "8.7-alpine", "9.0", "8.9-bookworm", "8", "latest"], { minor: "8.8-alpine" }],
  [
    "v16.32.3",
    ["v16.33.0", "v16.32.10", "v16.32.9", "16.99.0", "v17.0.0-beta.1"],
    { patch: "v16.32.10", minor: "v16.33.0" },
  ],
  ["11.8", ["12.0", "11.10", "11.8", "11.4", "12.0.1", "12.0-ubi"], { minor: "11.10", major: "12.0" }],
  ["8", ["9", "10", "7", "9.1"], { major: "10" }],
  // Pre-releases: passed over, unless the present is one.
  [
    "3.13.1-slim",
    ["3.14.0a1-slim", "3.14.0-rc1-slim", "3.13.2-slim", "3.14-rc-slim"],
    { patch: "3.13.2-slim" },
  ],
  ["v2.0.0-beta.2", ["v2.0.0-beta.10", "v2.0.0-alpha.99"], { patch: "v2.0.0-beta.10" }],
  ["v2.0.0-rc.2", ["v2.0.0-beta.10", "v2.0.0"], { patch: "v2.0.0" }],
  ["1.0.0-rc1", ["1.0.0-beta9", "1.1.0-dev"], { minor: "1.1.0-dev" }],
  // What stands behind the version.
  [
    "16.3-alpine3.20",
    ["16.3-alpine3.21", "16.4-alpine3.19", "16.4-alpine3.21"],
    { patch: "16.3-alpine3.21", minor: "16.4-alpine3.21" },
  ],
  ["1.2.3-debian-12-r5", ["1.2.3-debian-12-r4", "1.2.4-debian-12-r0"], { patch: "1.2.4-debian-12-r0" }],
  ["RELEASE.2024-01-02", ["RELEASE.2024-03-01"], { patch: "RELEASE.2024-03-01" }],
  // Dates beside versions, and commits behind dates.
  ["8.6", ["2024.1", "20240101.1"], {}],
  ["2024.1", ["2024.3", "2025.1", "8.6"], { minor: "2024.3", major: "2025.1" }],
  ["20251118-4c860c6", ["20251203-0a1b2c3", "20251203"], {}],
  ["16.0.0", ["v16.1.0"], {}],
  ["99999999999999999999.1", ["99999999999999999999.2"], { minor: "99999999999999999999.2" }],
])("newer than %s among %j", (current, tags, newer) => {
  expect(findNewer(current, [...tags, current])).toEqual(newer);
});

test.each(["latest", "bookworm", "stable-alpine", "sha-4c860c6", "4c860c6", "develop", "production-latest"])(
  "%s is no version",
  (tag) => {
    expect(findNewer(tag, ["1", "2", "v16.0.0"])).toBeUndefined();
  },
);

test("a long tag is read at once", () => {
  for (const tag of ["1".repeat(128), "a-".repeat(64), "1.".repeat(64), "-1".repeat(64)]) parseTag(tag);
});
