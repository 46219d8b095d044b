import type { Finding } from "@drybag/errors";
import { expect, test } from "vitest";
import { findingLines } from "./print-findings.ts";

const findings: Finding[] = [
  {
    code: "moving-tag",
    severity: "warning",
    message: "'latest' of 'redis:latest', the image of service 'cache', names another image tomorrow.",
    remedy: "Name a version, so that packing again gives the same stack.",
    position: { file: "/srv/shop/compose.yaml", line: 3, column: 12 },
  },
  { code: "project-invalid", severity: "error", message: "No." },
];

test("findings are lines that editors understand, with remedies below and a count at the end", () => {
  expect(findingLines(findings, "/srv/shop")).toEqual([
    "compose.yaml:3:12: warning: 'latest' of 'redis:latest', the image of service 'cache', names another image tomorrow. [moving-tag]",
    "    Name a version, so that packing again gives the same stack.",
    "error: No. [project-invalid]",
    "1 error, 1 warning, 0 for information.",
  ]);
});

test("in a terminal, lines are broken between words", () => {
  const lines = findingLines(findings, "/srv/shop", 60);
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(60);
  expect(lines.slice(0, 3)).toEqual([
    "compose.yaml:3:12: warning: 'latest' of 'redis:latest',",
    "  the image of service 'cache', names another image",
    "  tomorrow. [moving-tag]",
  ]);
});

test("a file far away is shown by its absolute path", () => {
  expect(findingLines(findings, "/home/me/a/b/c/d/e")[0]).toMatch(/^\/srv\/shop\/compose\.yaml:3:12: /);
});

test("nothing is said to be nothing", () => {
  expect(findingLines([], "/")).toEqual(["Nothing found."]);
});
