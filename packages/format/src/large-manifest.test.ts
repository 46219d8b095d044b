import { isDrybagError } from "@drybag/errors";
import { expect, test } from "vitest";
import type { Manifest } from "./manifest.ts";
import { canonicalJson } from "./parse-json.ts";
import { parseManifest } from "./parse-manifest.ts";
import { tinyBundle } from "./testing/tiny-bundle.ts";
import { tinyTasks } from "./testing/tiny-tasks.ts";

/** Manifests that are well-formed but very large: refused or understood in the time that it takes to read them. */

/** For the largest on a busy machine. What tries all pairs takes minutes. */
const SLOWEST_MS = 30_000;

// biome-ignore lint/suspicious/noExplicitAny: tests write what the types forbid.
type Broken = any;

function parsed(change: (manifest: Broken) => void): Manifest | string {
  const manifest = structuredClone({ ...tinyBundle().manifest, ...tinyTasks() });
  change(manifest);
  const bytes = Buffer.from(canonicalJson(manifest));
  const startedMs = performance.now();
  try {
    return parseManifest(bytes);
  } catch (error) {
    if (isDrybagError(error)) return `${error.code}: ${error.message}`;
    throw error;
  } finally {
    expect(performance.now() - startedMs).toBeLessThan(SLOWEST_MS);
  }
}

const many = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));

/** Files in front of those that are there. */
function withFiles(manifest: Broken, paths: string[]): void {
  const [file] = manifest.entries.filter(({ path }: Broken) => path === "project/.env");
  manifest.entries.unshift(...paths.map((path) => ({ ...file, path })));
}

test("100,000 files", () => {
  const paths = many(100_000, (index) => `project/!${String(index).padStart(6, "0")}/a`);
  expect(parsed((it) => withFiles(it, paths))).toMatchObject({ name: "tiny" });
});

test("paths that are as long and deep as they may be, and deeper ones", () => {
  const deep = (folders: number) =>
    many(5000, (index) => `project/!${"a/".repeat(folders)}${index + 10_000}`);
  expect(parsed((it) => withFiles(it, deep(126)))).toMatchObject({ name: "tiny" });
  expect(parsed((it) => withFiles(it, deep(127)))).toMatch(
    /entries\[0\]\.path ".* lies deeper than 127 folders$/,
  );
  expect(parsed((it) => withFiles(it, deep(2000)))).toMatch(
    /lies deeper than 127 folders|entries\[0\]\.path/,
  );
});

test("20,000 tasks that each wait for the next, and in a ring", () => {
  const chain = (last: object) => (it: Broken) => {
    it.backup = undefined;
    const [, task] = it.tasks;
    it.tasks = many(20_000, (index) => ({ ...task, name: `t${index}`, before: [`t${index + 1}`] }));
    Object.assign(it.tasks.at(-1), last);
  };
  expect(parsed(chain({ before: undefined }))).toMatchObject({ name: "tiny" });
  expect(parsed(chain({ before: ["t0"] }))).toMatch(
    /^manifest-invalid: .* tasks wait for each other: t0 before t1/,
  );
});

test("100,000 variables of a task", () => {
  const names = many(100_000, (index) => `A${index}`);
  const variables = Object.fromEntries(names.toSorted().map((name) => [name, ""]));
  expect(parsed((it) => Object.assign(it.tasks[0], { environment: variables }))).toMatchObject({
    name: "tiny",
  });
  expect(parsed((it) => Object.assign(it.tasks[0], { arguments: names }))).toMatchObject({ name: "tiny" });
  expect(parsed((it) => Object.assign(it.tasks[0], { settings: names }))).toMatch(/needs the setting A0/);
});

test("a name of 65,000 letters is not said in whole", () => {
  const message = parsed((it) => Object.assign(it.images[0], { tag: "a".repeat(65_000) }));
  expect(message).toMatch(/^manifest-invalid: drybag\.json images\[0\]\.tag "aaaa/);
  expect(String(message).length).toBeLessThan(1000);
});
