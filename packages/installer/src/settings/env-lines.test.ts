// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of Compose.
import { expect, test } from "vitest";
import { envLine, parseEnvLines } from "./env-lines.ts";

/** The same values are read back by a real Compose in e2e/installer.e2e.ts. */
export const NASTY_VALUES = [
  "plain",
  "",
  " around ",
  "\ttabs\t",
  "a'b",
  'a"b',
  "''",
  '"',
  "a$b",
  "${X}",
  "$$",
  "$'x'",
  '"${X}"\\',
  "a #b",
  "#",
  "a\\nb",
  "ends with \\",
  "\\\\",
  "a\\'b",
  "\\$x",
  "`id`",
  "é☃",
  "=x=",
  "!%^&*()~",
  "x'\"$y\\z # k",
];

test.each(NASTY_VALUES)("%j is read back as it was", (value) => {
  expect(parseEnvLines(envLine("V", value), "site.env").get("V")).toBe(value);
});

test.each(["two\nlines", "a\rb", "nul\u0000", "esc\u001b[2J", "half \ud800"])("%j is refused", (value) => {
  expect(() => envLine("V", value)).toThrow(expect.objectContaining({ code: "setting-invalid" }));
});

test("what a person wrote is read where it is plain", () => {
  const text = "# ours\n\nPORT=8080\nNAME='a b'\nEMPTY=\n";
  expect([...parseEnvLines(text, "site.env")]).toEqual([
    ["PORT", "8080"],
    ["NAME", "a b"],
    ["EMPTY", ""],
  ]);
});

test.each(["PORT 8080", "A=b c", 'A="x', 'A="${B}"', "A=$B", "A=b#c", "export A=b"])(
  "%j is refused with its line",
  (line) => {
    expect(() => parseEnvLines(`OK=1\n${line}\n`, "site.env")).toThrow(/Line 2 of site\.env/);
  },
);
