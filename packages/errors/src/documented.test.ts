import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ERROR_EXIT_CODES, EXIT } from "./codes.ts";

const PAGE = join(import.meta.dirname, "../../../docs/errors.md");

interface Section {
  exitCode: number;
  rows: string[][];
}

/** The tables under `## Exit code N: …`, without their heads, as cells. */
function sectionsOf(page: string): Section[] {
  return page
    .split(/^## /m)
    .map((text) => ({ text, exitCode: /^Exit code (\d+):/.exec(text)?.[1] }))
    .filter(({ exitCode }) => exitCode !== undefined)
    .map(({ text, exitCode }) => ({ exitCode: Number(exitCode), rows: rowsOf(text) }));
}

function rowsOf(text: string): string[][] {
  const lines = text.split("\n").filter((line) => line.startsWith("|"));
  return lines.slice(2).map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

describe("docs/errors.md", () => {
  const page = readFileSync(PAGE, "utf8");
  const sections = sectionsOf(page);

  test("has every code, each once, under its exit code, and none that is gone", () => {
    const documented = sections.flatMap(({ exitCode, rows }) =>
      rows.map(([code]) => [code?.replaceAll("`", ""), exitCode]),
    );
    expect(documented.sort()).toEqual(Object.entries(ERROR_EXIT_CODES).sort());
  });

  test("gives meaning, cause and remedy of every code", () => {
    for (const row of sections.flatMap(({ rows }) => rows)) {
      expect(row, row[0]).toHaveLength(4);
      for (const cell of row) expect(cell, row[0]).not.toBe("");
    }
  });

  test("has the table of exit codes", () => {
    const table = rowsOf(page.slice(page.indexOf("## Exit codes"), page.indexOf("`install.sh` ends")));
    expect(table.map(([exitCode]) => Number(exitCode))).toEqual(Object.values(EXIT));
  });
});
