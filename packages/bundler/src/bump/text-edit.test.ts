import { isDrybagError } from "@drybag/errors";
import { expect, test } from "vitest";
import { lineDiff } from "./line-diff.ts";
import { applyEdits } from "./text-edit.ts";

const at = (line: number, column: number, value: string, text = value) => ({
  position: { file: "f", line, column },
  value,
  at: value.indexOf(text),
  text,
});

const FILE = `# the stack
services:
  a: {image: "redis:8.6-alpine"}   # why
  b: {image: 'x:1'}\r
  c:
    image:   y:1
`;

test("only the text changes: quotes, comments, spaces and line ends stay", () => {
  const edits = [
    { place: at(6, 14, "y:1", "1"), text: "2.0" },
    { place: at(3, 14, "redis:8.6-alpine", "8.6-alpine"), text: "8.8-alpine" },
    { place: at(4, 14, "x:1", "1"), text: "2" },
  ];
  expect(applyEdits(FILE, edits)).toBe(
    FILE.replace("8.6", "8.8").replace("x:1", "x:2").replace("y:1", "y:2.0"),
  );
});

test.each([
  ["another value", at(6, 14, "z:1")],
  ["escapes", at(1, 1, 'a"b')],
  ["a line that is not there", at(99, 1, "x")],
])("%s: refused with its place", (_title, place) => {
  const edit = () => applyEdits(FILE, [{ place, text: "2" }]);
  expect(edit).toThrow(new RegExp(`^f:${place.position.line}:`));
  try {
    edit();
  } catch (error) {
    expect(isDrybagError(error, "place-unknown")).toBe(true);
  }
});

test("two changes of one place are refused", () => {
  const place = at(6, 14, "y:1");
  const edits = [
    { place, text: "y:2" },
    { place: { ...place, at: 2, text: "1" }, text: "3" },
  ];
  expect(() => applyEdits(FILE, edits)).toThrow(/two changes meet/);
});

test("a diff as patch(1) reads it", () => {
  const before = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n";
  const after = before.replace("2\n3", "two\nthree").replace("10", "ten");
  expect(lineDiff("f", before, after)).toBe(`--- a/f
+++ b/f
@@ -1,5 +1,5 @@
 1
-2
-3
+two
+three
 4
 5
@@ -8,3 +8,3 @@
 8
 9
-10
+ten
`);
  expect(lineDiff("f", before, before)).toBe("");
});
