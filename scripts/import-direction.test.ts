import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { findViolations } from "./import-direction/find-violations.ts";

const root = join(import.meta.dirname, "..");

test("imports point one way, and the edges of the programs are where they belong", () => {
  const paths = globSync(["packages/*/src/**/*.ts", "{lab,e2e,fixtures,scripts}/**/*.ts"], {
    cwd: root,
    exclude: (path) => path.endsWith("node_modules") || path.endsWith("dist"),
  });
  const files = paths.map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));
  expect(files.length).toBeGreaterThan(100);
  expect(findViolations(files)).toEqual([]);
});

test("package.json files name no package that the sources may not import", () => {
  const manifests = globSync("packages/*/package.json", { cwd: root });
  expect(manifests.length).toBeGreaterThanOrEqual(6);
  const files = manifests.map((path) => {
    const { dependencies = {}, devDependencies = {} } = JSON.parse(readFileSync(join(root, path), "utf8"));
    const names = Object.keys({ ...dependencies, ...devDependencies });
    return { path, text: names.map((name) => `import "${name}";`).join("\n") };
  });
  const allowed = / imports execa: /;
  expect(findViolations(files).filter((violation) => !allowed.test(violation))).toEqual([]);
});

describe("a planted violation is found:", () => {
  test.each([
    ["packages/installer/src/x.ts", 'import { pack } from "@drybag/bundler";', "installer may not know"],
    ["packages/bundler/src/x.ts", 'import type { Plan } from "@drybag/installer";', "bundler may not know"],
    ["packages/format/src/x.ts", 'export { images } from "@drybag/docker";', "format may not know"],
    ["packages/terminal/src/x.ts", 'const { a } = await import("@drybag/format");', "terminal may not know"],
    ["packages/docker/src/x.ts", 'import {\n  a,\n  b,\n} from "@drybag/terminal";', "docker may not know"],
    ["packages/errors/src/x.ts", 'import "@drybag/format";', "errors may not know"],
    ["packages/bundler/src/x.test.ts", 'import { labUp } from "@drybag/lab";', "bundler may not know"],
    [
      "packages/bundler/src/x.ts",
      'import { a } from "@drybag/format/src/names.ts";',
      "past that package's index",
    ],
    [
      "packages/bundler/src/x.ts",
      'import { a } from "../../format/src/names.ts";',
      "a file of another package",
    ],
    [
      "e2e/support/x.ts",
      'import { a } from "../../packages/docker/src/index.ts";',
      "a file of another package",
    ],
    ["packages/installer/src/x.ts", 'import { execa } from "execa";', "only packages/docker starts programs"],
    [
      "packages/bundler/src/x.ts",
      'import { spawn } from "node:child_process";',
      "only packages/docker starts",
    ],
    ["packages/docker/src/x.ts", "const host = process.env.DOCKER_HOST;", "reads process.env"],
    ["packages/bundler/src/x.ts", "resolve(process.cwd(), file);", "reads process.cwd"],
    ["packages/bundler/src/x.ts", "const { env } = process;", "only the command line files"],
    ["packages/bundler/src/x.ts", 'import { argv } from "node:process";', "reads node:process"],
  ])("%s: %s", (path, text, reason) => {
    expect(findViolations([{ path, text }])).toEqual([expect.stringContaining(reason)]);
  });
});

test.each([
  ["packages/installer/src/x.ts", 'import { a } from "@drybag/format";\nimport { b } from "./y.ts";'],
  ["packages/docker/src/run-docker.ts", 'import { execa } from "execa";'],
  ["packages/terminal/src/run-main.test.ts", 'import { spawn } from "node:child_process";'],
  ["packages/bundler/src/main.ts", "void runMain(program, { argv: process.argv });"],
  ["packages/terminal/src/run-main.ts", "const { env } = process;"],
  ["packages/format/src/x.ts", '/** import { a } from "@drybag/docker"; process.env */\n// process.cwd()'],
  ["packages/format/src/x.ts", "process.on('exit', done);"],
])("what is allowed is not found: %s: %s", (path, text) => {
  expect(findViolations([{ path, text }])).toEqual([]);
});
