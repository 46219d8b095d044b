import type { BundledImage, Manifest } from "@drybag/format";
import { expect, test } from "vitest";
import { imagesToPrune, releasesToPrune } from "./plan-prune.ts";

test.each([
  ["keeps the current one and one before", ["a", "b", "c"], ["a", "b", "c"], "c", 1, ["a"]],
  ["keeps only the current one", ["a", "b", "c"], ["a", "b", "c"], "c", 0, ["a", "b"]],
  ["counts what ran last, not what is newest", ["a", "b", "c"], ["a", "b", "c", "a"], "a", 1, ["b"]],
  ["takes those that never ran", ["a", "b"], ["a"], "a", 5, ["b"]],
  ["never the current one, whatever the journal lost", ["a", "b"], [], "a", 0, ["b"]],
])("%s", (_, present, history, current, keep, going) => {
  expect(releasesToPrune(present, history, current, keep)).toEqual(going);
});

test("an image stays while a release that stays has it", () => {
  const manifest = (...ids: string[]) =>
    ({ images: ids.map((id) => ({ tag: `${id}:1`, configDigest: id })) }) as Manifest;
  const idOf = (image: BundledImage) => image.configDigest;
  expect(imagesToPrune([manifest("x", "y"), manifest("x")], [manifest("y", "z")], idOf)).toEqual([
    { id: "x", tag: "x:1" },
  ]);
});
