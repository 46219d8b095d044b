import { expect, test } from "vitest";
import { printable, printableLine } from "./printable.ts";

test.each([
  ["a plain line, ünïcode, 日本, 👩‍👩", "a plain line, ünïcode, 日本, 👩‍👩"],
  ["two\nlines\tand a tab", "two\nlines\tand a tab"],
  ["\u001b[31mred\u001b[0m", "red"],
  ["\u001b[2J\u001b[H\u001b]0;title\u0007gone", "gone"],
  ["\u001b]8;;https://x\u0007link\u001b]8;;\u0007", "link"],
  ["half a sequence \u001b", "half a sequence \\u{1b}"],
  ["bell\u0007 and nul\u0000", "bell\\u{7} and nul\\u{0}"],
  ["C1 \u009d0;x", "C1 \\u{9d}0;x"],
  ["safe\rgone", "safe\\rgone"],
  ["lines of Windows\r\nend\r", "lines of Windows\nend"],
  ["abc\u202egpj.exe", "abc\\u{202e}gpj.exe"],
])("%j is shown as %j", (text, shown) => {
  expect(printable(text)).toBe(shown);
});

test("one line stays one", () => {
  expect(printableLine("a\n\u001b[1mb\tc\u2028d")).toBe("a\\nb\\tc\\u{2028}d");
});
