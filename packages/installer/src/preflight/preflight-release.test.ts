import { expect, test } from "vitest";
import { checkOlder } from "./preflight-release.ts";

test("an older version than the one that runs is said aloud", () => {
  expect(checkOlder("v16.2.0", "v16.10.0")).toMatchObject([{ code: "release-older", severity: "warning" }]);
  expect(checkOlder("v16.10.0", "v16.2.0")).toEqual([]);
  expect(checkOlder("1", "1")).toEqual([]);
  expect(checkOlder("1", undefined)).toEqual([]);
});
