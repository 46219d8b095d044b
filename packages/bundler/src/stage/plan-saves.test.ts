import { expect, test } from "vitest";
import { planSaves } from "./plan-saves.ts";

const image = (tag: string, sizeBytes: number, ...diffIds: string[]) => ({
  tag,
  facts: { diffIds, sizeBytes },
});
const tagsOf = (groups: { tag: string }[][]) => groups.map((group) => group.map((each) => each.tag).sort());

test("images are spread over archives of about the same size", () => {
  const groups = planSaves(
    [image("a", 4, "1"), image("b", 3, "2"), image("c", 3, "3"), image("d", 1, "4")],
    2,
  );
  expect(tagsOf(groups)).toEqual([
    ["a", "d"],
    ["b", "c"],
  ]);
});

test("an image whose layers are all in an archive goes there", () => {
  const groups = planSaves([image("a", 9, "1", "2"), image("b", 2, "3"), image("c", 9, "1", "2")], 2);
  expect(tagsOf(groups)).toEqual([["a", "c"], ["b"]]);
});

test("images that share layers go together where that makes no archive the largest", () => {
  const groups = planSaves(
    [image("erp", 20, "base", "bench"), image("db", 2, "base", "db"), image("cache", 1, "base", "cache")],
    3,
  );
  expect(tagsOf(groups)).toEqual([["erp"], ["cache", "db"]]);
});

test("there is no archive without an image", () => {
  expect(tagsOf(planSaves([image("a", 1, "1")], 4))).toEqual([["a"]]);
});
