import { writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as containerfiles from "./containerfiles.ts";
import { expectClean, RecipeProjects } from "./recipe-projects.ts";

let recipe: RecipeProjects;

beforeAll(async () => {
  recipe = await RecipeProjects.open("recipe-pins");
});

afterAll(() => recipe?.[Symbol.asyncDispose]());

describe("is refused before anything is built:", () => {
  let project: string;
  beforeAll(async () => {
    project = await recipe.makeProject("refused");
  });

  const missing = "0".repeat(40);
  test.each<[string, () => unknown, RegExp]>([
    [
      "main",
      () => [recipe.erpnext("main")],
      /apps\.json:\d+:\d+: erpnext is pinned to 'main', a branch.*\[app-moving-ref\]/,
    ],
    ["version-16", () => [recipe.erpnext("version-16")], /\[app-moving-ref\]/],
    [
      "what the repository says is a branch",
      () => [recipe.india({ branch: "v15-line" })],
      /\[app-moving-ref\]/,
    ],
    [
      "frappe among the apps",
      () => [{ url: `${recipe.apps.address}/frappe`, branch: "v16.32.3" }],
      /\[app-is-frappe\]/,
    ],
    ["an app twice", () => [recipe.erpnext(), recipe.erpnext()], /\[app-duplicate\]/],
    ["what is not JSON", () => '[{"url": }]', /apps\.json:1:10: This is not JSON.*\[apps-not-json\]/],
    [
      "an unknown key",
      () => [{ ...recipe.erpnext(), brnch: "x" }],
      /\[apps-unknown-key\][\s\S]*Did you mean 'branch'/,
    ],
    [
      "a tag that is not there",
      () => [recipe.erpnext("v16.99.0")],
      /\[app-ref-missing\][\s\S]*newest tag is v16\.32\.3/,
    ],
    ["a commit that is not there", () => [recipe.india({ commit: missing })], /\[app-commit-missing\]/],
    [
      "a commit that this Containerfile cannot get",
      () => [recipe.india({ branch: "version-16", commit: recipe.apps.commits.indiaUntagged })],
      /\[app-commit-unnamed\]/,
    ],
    [
      "a tag that is another commit",
      () => [recipe.india({ tag: "v16.0.1", commit: recipe.apps.commits.indiaMain })],
      /\[app-tag-moved\]/,
    ],
    [
      "a private repository without a token",
      () => [{ url: `${recipe.apps.address}/private/india-compliance`, tag: "v16.0.1" }],
      /\[app-not-found\]/,
    ],
    [
      "a repository that is not there",
      () => [{ url: `${recipe.apps.address}/nothing`, tag: "v1" }],
      /\[app-not-found\]/,
    ],
    ["a server that is not there", () => [{ url: "http://127.0.0.1:9/x", tag: "v1" }], /\[app-unreachable\]/],
  ])("%s", async (_, list, message) => {
    const content = list();
    await writeFile(
      path.join(project, "apps.json"),
      typeof content === "string" ? content : JSON.stringify(content),
    );
    const run = await recipe.drybag(project, ["build", "--allow-dirty"]);
    expect(run.stderr).toMatch(message);
    expect(run.stderr).toMatch(/\[apps-invalid\]/);
    expect(run.stderr).not.toMatch(/this is a defect|Build frappe/);
    expectClean(run.stderr, "what build says");
    expect(run.exitCode).toBe(3);
  });

  test("a token that is not set", async () => {
    await writeFile(path.join(project, "apps.json"), JSON.stringify([recipe.india()]));
    const run = await recipe.drybag(project, ["build", "--allow-dirty"], {});
    expect(run.stderr).toMatch(/GIT_TOKEN must have a value.*\[token-missing\]/);
    expect(run.exitCode).toBe(3);
  });

  test("an argument that would put the token into the image's history", async () => {
    const containerfile = containerfiles.BASE64_IN_HISTORY;
    const run = await recipe.drybag(await recipe.makeProject("history", { containerfile }), ["build"]);
    expect(run.stderr).toMatch(/\[token-in-history\]/);
    expect(run.exitCode).toBe(3);
  });

  test("a work tree with changes", async () => {
    const changed = await recipe.makeProject("changed");
    await writeFile(path.join(changed, "new.txt"), "new\n");
    const run = await recipe.drybag(changed, ["build"]);
    expect(run.stderr).toMatch(/\[build-dirty\]\n\s+new\.txt/);
    expect(run.exitCode).toBe(3);
  });
});
