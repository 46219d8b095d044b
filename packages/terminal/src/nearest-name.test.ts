import { expect, test } from "vitest";
import { nearestName } from "./nearest-name.ts";

const KNOWN = ["images", "files", "port", "settings"];

test.each([
  ["imges", "images"],
  ["prot", "port"],
  ["Settings", "settings"],
  ["seetings", "settings"],
  ["ports", "port"],
  ["colour", undefined],
  ["", undefined],
])("%j was probably meant as %j", (name, meant) => {
  expect(nearestName(name, KNOWN)).toBe(meant);
});
