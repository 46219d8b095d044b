import { expect, test } from "vitest";
import { table } from "./table.ts";

test("aligns columns and pads neither the end of a line nor the last column", () => {
  const rows = [
    ["IMAGE", "SIZE", "NOTE"],
    ["redis:8.6-alpine", "41.2 MiB", ""],
    ["a", "1.1 GiB", "kept"],
  ];
  expect(table(rows, { alignRight: [1] })).toBe(
    [
      "IMAGE                 SIZE  NOTE",
      "redis:8.6-alpine  41.2 MiB",
      "a                  1.1 GiB  kept",
    ].join("\n"),
  );
});

test("cuts lines to the width, the ellipsis inside it", () => {
  const text = table([["name", "x".repeat(40)]], { width: 20, ellipsis: "…" });
  expect(text).toBe("name  xxxxxxxxxxxxx…");
  expect(text).toHaveLength(20);
});

test("does not count colours as width", () => {
  const rows = [
    ["\u001b[32mok\u001b[39m", "a"],
    ["no", "b"],
  ];
  expect(table(rows, { width: 5 })).toBe("\u001b[32mok\u001b[39m  a\nno  b");
});
