import { expect, test } from "vitest";
import { changeOnePart } from "./change-part.ts";
import { referenceParts } from "./reference-parts.ts";

const env = { V: "16.3", OS: "alpine", TAG: "16.3-alpine", IMAGE: "redis:8.6", EMPTY: "" };

test.each([
  ["redis:8.6-alpine", ["8.6-alpine"]],
  ["redis", []],
  ["localhost:5000/redis", []],
  ["localhost:5000/redis:8", ["8"]],
  ["postgres:$V-$OS", ["16.3", "-", "alpine"]],
  ["${IMAGE}", ["8.6"]],
  ["x:${EMPTY:-${V}}", ["16.3"]],
  ["x:${NONE:-1.2}", ["1.2"]],
  ["x:${V:?must}", ["16.3"]],
  ["x:${V}@sha256:abc", ["16.3"]],
])("the tag of %s is put together from %j", (written, parts) => {
  expect(referenceParts(written, env).tag.map(({ text }) => text)).toEqual(parts);
});

test.each([
  ["redis:8.6-alpine", { at: 0 }, 6],
  ["x:${NONE:-1.2}", { at: 10 }, 0],
  ["x:${NONE:-${OTHER:-1.2}}", { at: 19 }, 0],
  ["${IMAGE}", { variable: "IMAGE" }, 6],
])("%s: where the tag stands", (written, source, at) => {
  expect(referenceParts(written, env).tag).toEqual([
    expect.objectContaining({ source: expect.objectContaining(source), at }),
  ]);
});

test("a digest has its own place", () => {
  const { tag, digest } = referenceParts("x:1@sha256:${V}", env);
  expect(tag.map(({ text }) => text)).toEqual(["1"]);
  expect(digest.map(({ text }) => text)).toEqual(["sha256:", "16.3"]);
});

test.each([
  [["8.6", "-alpine"], "8.8-alpine", 0, "8.8"],
  [["8", ".", "6"], "8.10", 2, "10"],
  [["1.0", ".1"], "1.1.1", 0, "1.1"],
  [["v", "16.3"], "v16.10", 1, "16.10"],
  [["1", "", "1"], "2", undefined, ""],
  [["1.0", "-a"], "1.1-b", undefined, ""],
  [["1.1", "1.1"], "1.1", undefined, ""],
  [["8.6"], "8.6", undefined, ""],
])("%j becomes %s by part %s", (texts, wanted, index, text) => {
  const parts = texts.map((each) => ({ text: each }));
  const change = changeOnePart(parts, wanted);
  expect(change && [parts.indexOf(change.part), change.text]).toEqual(
    index === undefined ? undefined : [index, text],
  );
});
