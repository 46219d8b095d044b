import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "..");

/** Codes of findings as they stand in the sources: `code: "x", severity: …` and `warn("x", …`. */
function codesInSources(): Set<string> {
  const paths = globSync("packages/*/src/**/*.ts", {
    cwd: root,
    exclude: (path) => path.endsWith(".test.ts"),
  });
  const text = paths.map((path) => readFileSync(join(root, path), "utf8")).join("\n");
  const found = [/\bcode: "([a-z-]+)",\s*severity:/g, /\.warn\(\s*"([a-z-]+)"/g].flatMap((pattern) => [
    ...text.matchAll(pattern),
  ]);
  return new Set(found.map((match) => match[1] as string));
}

test("docs/errors.md has every finding, and none that is gone", () => {
  const page = readFileSync(join(root, "docs/errors.md"), "utf8");
  // The codes of errors stand before; that they are right is tested in packages/errors.
  const [errors = "", findings = "", ofLint = ""] = page.split(/^#{2,3} Findings.*$/m);
  const ofTheirOwn = [...codesInSources()].filter((code) => !codesOf(errors).includes(code));
  const tables = [codesOf(findings), codesOf(ofLint)];
  expect(tables.flat().sort()).toEqual(ofTheirOwn.sort());
  for (const table of tables) expect(table).toEqual(table.toSorted());
});

function codesOf(section: string): string[] {
  return [...section.matchAll(/^\| `([a-z-]+)` \|/gm)].map((match) => match[1] as string);
}
