import { isDrybagError } from "@drybag/errors";
import { describe, expect, test } from "vitest";
import { parseConfigDocument } from "../config/config-document.ts";
import { configOf } from "../config/load-config.ts";
import { type BuildFacts, planBuilds, withNeeds } from "./plan-builds.ts";

const COMMIT = {
  commit: "4c860c6".padEnd(40, "0"),
  date: "20251118",
  branch: "feature/x",
  dirty: [] as string[],
};

function plan(
  text: string,
  choices: { environment?: string; allowDirty?: boolean } = {},
  facts: Partial<BuildFacts> = {},
) {
  const { builds } = configOf(parseConfigDocument("/p/drybag.yaml", text, "drybag.yaml")).project;
  return planBuilds(
    builds,
    { environment: choices.environment, allowDirty: choices.allowDirty ?? false },
    { project: COMMIT, version: "1.2", push: false, ...facts },
  );
}

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (isDrybagError(error)) return `${error.code}: ${error.message}`;
    throw error;
  }
  return "no error";
}

test("the tag tells the commit and its day", () => {
  expect(plan("builds: {web: {}}")[0]?.references).toEqual(["web:20251118-4c860c6"]);
});

test("tags by template, each once, the first is the one that is packed", () => {
  const tags =
    "['{date}-{commit}', '{branch}', '{version}', 'sha-{commit}', production-latest, 'sha-{commit}']";
  const [build] = plan(
    `builds: {web: {image: r.example:5000/t/web, tags: ${tags}, env: {IMG: '{image}|{tag}|{policy}'}}}`,
  );
  expect(build?.references.map((each) => each.replace("r.example:5000/t/web:", ""))).toEqual([
    "20251118-4c860c6",
    "feature-x",
    "1.2",
    "sha-4c860c6",
    "production-latest",
  ]);
  expect(build?.variables).toEqual({ IMG: "r.example:5000/t/web|20251118-4c860c6|never" });
});

describe("a project with changes", () => {
  const dirty = { project: { ...COMMIT, dirty: ["a.txt"] } };

  test("is refused", () => {
    expect(codeOf(() => plan("builds: {web: {}}", {}, dirty))).toMatch(/^build-dirty/);
  });

  test("says so in the tag where that was asked for", () => {
    expect(
      plan("builds: {web: {tags: ['{date}-{commit}', 'sha-{commit}']}}", { allowDirty: true }, dirty)[0]
        ?.references,
    ).toEqual(["web:20251118-4c860c6-dirty", "web:sha-4c860c6-dirty"]);
  });

  test("is built where no tag tells the commit", () => {
    expect(plan("builds: {web: {tags: ['{version}']}}", {}, dirty)[0]?.references).toEqual(["web:1.2"]);
  });
});

test.each([
  ["{date}", { project: undefined }, /names the commit, and this folder is in no git work tree/],
  ["{version}", { version: undefined }, /needs a version/],
  ["{environment}", {}, /needs an environment/],
  ["{branch}", { project: { ...COMMIT, branch: undefined } }, /needs a branch/],
  ["{sha}", {}, /has \{sha\}, which stands for nothing/],
  ["a b", {}, /cannot be a tag/],
])("the tag %s of %j is refused", (tag, facts, message) => {
  expect(codeOf(() => plan(`builds: {web: {tags: ['${tag}']}}`, {}, facts))).toMatch(message);
});

describe("environments", () => {
  const text = `builds:
  web:
    args: {A: one, B: two}
    environments:
      dev: {args: {A: dev}, tags: ['dev-{commit}']}
      production:
`;

  test("choose arguments and tags", () => {
    expect(plan(text, { environment: "dev" })[0]).toMatchObject({
      args: { A: "dev", B: "two" },
      references: ["web:dev-4c860c6"],
    });
    expect(plan(text, { environment: "production" })[0]).toMatchObject({
      args: { A: "one", B: "two" },
      references: ["web:20251118-4c860c6", "web:production-latest"],
    });
    expect(plan(text)[0]?.references).toEqual(["web:20251118-4c860c6"]);
  });

  test("that nobody knows are refused", () => {
    expect(codeOf(() => plan(text, { environment: "prod" }))).toBe(
      "usage: No build has an environment 'prod'.",
    );
  });
});

test("builds come after those that they need, and may name their images", () => {
  const text =
    "builds: {all: {needs: [app, base], args: {APP: '{image:app}'}}, app: {needs: [base]}, base: {}, other: {}}";
  const planned = plan(text);
  expect(planned.map(({ name }) => name)).toEqual(["base", "app", "all", "other"]);
  expect(planned[2]?.args).toEqual({ APP: "app:20251118-4c860c6" });
  const needed = withNeeds(
    planned.map(({ declared }) => declared),
    ["app"],
  );
  expect(needed.map(({ name }) => name)).toEqual(["base", "app"]);
});
