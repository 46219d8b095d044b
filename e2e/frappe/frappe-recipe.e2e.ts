import { randomUUID } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Manifest } from "@drybag/format";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startInstaller } from "../support/installer.ts";
import { httpGet, runInstallScript } from "../support/run-programs.ts";
import * as containerfiles from "./containerfiles.ts";
import {
  type Built,
  expectClean,
  expectNoTokenBelow,
  frappeOf,
  RecipeProjects,
  TOKEN,
} from "./recipe-projects.ts";
import { watchCommandLines } from "./watch-command-lines.ts";

let recipe: RecipeProjects;

beforeAll(async () => {
  recipe = await RecipeProjects.open("recipe");
  await recipe.buildBases();
});

afterAll(() => recipe?.[Symbol.asyncDispose]());

describe("an image of pinned apps, one of them private", () => {
  let project: string;
  let built: Built;
  let carryFolder: string;

  test("is built through frappe_docker's Containerfile; nobody can read the token", async () => {
    project = await recipe.makeProject("secretform", { containerfile: containerfiles.GIT_CONFIG_FORM });
    const watch = watchCommandLines();
    built = await recipe.build(project, "--write-env", ".env");
    const commandLines = watch.stop();
    expect(commandLines.join("\n")).toContain("git clone");
    expectClean(commandLines.join("\n"), "a command line");

    const { references, provenance } = frappeOf(built);
    const { stdout: commit } = await execa(
      "git",
      ["log", "-1", "--format=%cd-%h", "--date=format:%Y%m%d", "--abbrev=7"],
      {
        cwd: project,
      },
    );
    expect(references).toEqual([`secretform/erp:${commit}`]);
    expect(provenance.apps).toMatchObject([
      { name: "frappe", ref: "v16.32.3", version: "16.32.3" },
      { name: "erpnext", repo: `${recipe.apps.address}/erpnext`, version: "16.32.3" },
      {
        name: "india_compliance",
        repo: `${recipe.apps.address}/private/india-compliance`,
        ref: "v16.0.1",
        version: "16.0.1",
      },
    ]);
    for (const app of provenance.apps) expect(app.commit).toMatch(/^[0-9a-f]{40}$/);
    const labels = JSON.parse(
      await recipe.docker("image", "inspect", "--format", "{{json .Config.Labels}}", references[0] ?? ""),
    );
    expect(JSON.parse(labels["dev.drybag.apps"])).toEqual(provenance.apps);
    expect(labels["org.opencontainers.image.revision"]).toBe(provenance.commit);

    await recipe.expectNoToken(references[0] ?? "");
    await expectNoTokenBelow(recipe.state);
  });

  test("its name and tag are in the env file, whose comments stay", async () => {
    const text = await readFile(path.join(project, ".env"), "utf8");
    const [image, tag] = (frappeOf(built).references[0] ?? "").split(":");
    expect(text).toMatch(/^# Read by Compose when no other env file is named/);
    expect(text).toContain(`\nCUSTOM_IMAGE=${image}\nCUSTOM_TAG=${tag}\nPULL_POLICY=never\n`);
    await execa("git", ["checkout", "--quiet", ".env"], { cwd: project });
  });

  test("building the same pins again, from nothing, gives the same provenance", async () => {
    const again = await recipe.build(project, "--no-cache");
    expect(frappeOf(again).provenance).toEqual(frappeOf(built).provenance);
    expect(frappeOf(again).references).toEqual(frappeOf(built).references);
  });

  test("is packed, with all that it was built from, and without the token", async () => {
    const run = await recipe.drybag(project, ["pack", "--json", "-o", path.join(recipe.work, "out")]);
    expect(run.exitCode, run.stderr).toBe(0);
    expectClean(run.stderr + run.stdout, "what pack says");
    carryFolder = (JSON.parse(run.stdout) as { directory: string }).directory;
    const tar = path.join(
      carryFolder,
      (await readdir(carryFolder)).find((name) => name.endsWith(".tar")) ?? "",
    );
    const { stdout } = await execa("tar", ["-xOf", tar, "drybag.json"]);
    const manifest = JSON.parse(stdout) as Manifest;
    const image = manifest.images.find(({ tag }) => tag === frappeOf(built).references[0]);
    expect(image?.provenance.build).toEqual(frappeOf(built).provenance);
    const env = await execa("tar", ["-xOf", tar, "compose.offline.env"]);
    expect(env.stdout).toContain("CUSTOM_IMAGE='secretform/erp'");
    await expectNoTokenBelow(carryFolder);
  });

  test("runs on site: the recipe makes the site, and list-apps shows the pinned versions", async () => {
    const dir = path.join(recipe.work, "opt");
    const answers = ["SITE_NAME=erp.example", "ADMIN_PASSWORD=admin-of-tests", "DB_PASSWORD=123"];
    const flags = ["--yes", "--dir", dir, ...answers.flatMap((answer) => ["--set", answer])];
    const install = await runInstallScript(recipe.lab.site, carryFolder, flags, { cwd: "/" });
    expect(install.exitCode, install.stderr).toBe(0);
    const task = async (...args: string[]) => {
      const run = await startInstaller(recipe.lab.site, [
        "run",
        ...args,
        "--dir",
        dir,
        "--name",
        "secretform",
      ]);
      expect(run.exitCode, run.stderr).toBe(0);
      return run.stdout + run.stderr;
    };
    const pinned = ["frappe 16.32.3", "erpnext 16.32.3", "india_compliance 16.0.1"];
    expect(await task("list-apps")).toContain(pinned.join("\n"));
    await task("uninstall-app", "APP=india_compliance");
    const left = await task("list-apps");
    expect(left).toContain("erpnext 16.32.3");
    expect(left).not.toContain("india_compliance");
    await task("install-app", "APP=india_compliance");
    expect(await task("list-apps")).toContain(pinned.join("\n"));
    await task("clear-cache");
    const { status } = await httpGet(recipe.lab.site, "http://127.0.0.1:8080/api/method/ping", {
      Host: "erp.example",
    });
    expect(status).toBe(200);
  });
});

describe("other Containerfiles:", () => {
  test("apps.json as an argument; the token is in no image and no log", async () => {
    const project = await recipe.makeProject("base64form", { containerfile: containerfiles.BASE64_FORM });
    const built = await recipe.build(project);
    const { references, provenance } = frappeOf(built);
    expect(provenance.apps.map(({ name }) => name)).toEqual(["frappe", "erpnext", "india_compliance"]);
    expect(provenance.args).not.toHaveProperty("APPS_JSON_BASE64");
    await recipe.expectNoToken(references[0] ?? "");
    await expectNoTokenBelow(recipe.state);
  });

  test("a stage for each app: another version of one builds that stage only", async () => {
    const project = await recipe.makeProject("stages", { containerfile: containerfiles.STAGES_FORM });
    const first = frappeOf(await recipe.build(project));
    await writeFile(
      path.join(project, "apps.json"),
      JSON.stringify([recipe.erpnext(), recipe.india({ branch: "v16.0.2" })]),
    );
    await recipe.commitAll(project);
    const second = frappeOf(await recipe.build(project));
    expect(second.provenance.apps.at(-1)?.version).toBe("16.0.2");
    expect(second.references).not.toEqual(first.references);
    const log = await readFile(second.logFile, "utf8");
    expect(stateOf(log, "[erpnext ")).toBe("CACHED");
    expect(stateOf(log, "[frappe ")).toBe("CACHED");
    expect(stateOf(log, "[india ")).toMatch(/^DONE/);
  });

  test("one that keeps .git folders is found out, and its image removed", async () => {
    const project = await recipe.makeProject("leaky", { containerfile: containerfiles.KEEPS_GIT_FOLDERS });
    const run = await recipe.drybag(project, ["build"]);
    expect(run.stderr).toMatch(/\[token-leaked\][\s\S]*in the file .*india.*\.git\/config/);
    expect(run.exitCode).toBe(3);
    expectClean(run.stderr, "what build says");
    expect(await recipe.docker("image", "ls", "--quiet", "leaky/erp")).toBe("");
  });

  test("a commit beside a branch is what the image holds", async () => {
    const commit = recipe.apps.commits.indiaUntagged;
    const pinned = [recipe.erpnext(), recipe.india({ branch: "version-16", commit })];
    const project = await recipe.makeProject("commits", {
      containerfile: containerfiles.COMMIT_FORM,
      apps: pinned,
    });
    const { references, provenance } = frappeOf(await recipe.build(project));
    expect(provenance.apps.at(-1)).toMatchObject({ ref: "version-16", commit });
    const fix = [
      "run",
      "--rm",
      "--entrypoint",
      "cat",
      references[0] ?? "",
      "apps/india_compliance/india_compliance/fix.py",
    ];
    expect(await recipe.docker(...fix)).toBe("FIX = 1");
  });

  test("one that does not check it out is found out, and its image removed", async () => {
    const pinned = [
      recipe.erpnext(),
      recipe.india({ branch: "version-16", commit: recipe.apps.commits.indiaUntagged }),
    ];
    const project = await recipe.makeProject("ignores", {
      containerfile: containerfiles.IGNORES_COMMITS,
      apps: pinned,
    });
    const run = await recipe.drybag(project, ["build"]);
    expect(run.stderr).toMatch(
      /\[commit-mismatch\][\s\S]*india_compliance version-16 .* is of another commit: .*fix\.py/,
    );
    expect(run.exitCode).toBe(3);
    expect(await recipe.docker("image", "ls", "--quiet", "ignores/erp")).toBe("");
  });

  test("one whose step fails: which, why, and where the log is", async () => {
    const broken = containerfiles.SECRET_FORM.replace(
      "bench init",
      "python3 -c 'import nosuchmodule' && bench init",
    );
    const project = await recipe.makeProject("broken", { containerfile: broken });
    const run = await recipe.drybag(project, ["build"]);
    expect(run.stderr).toMatch(/The module nosuchmodule is missing\. \[build-failed\]/);
    expect(run.stderr).toMatch(/step: \[builder \d+\/\d+\] RUN --mount=type=secret/);
    const logFile = /The whole log: (\S+)/.exec(run.stderr)?.[1] ?? "";
    expect(await readFile(logFile, "utf8")).toContain("nosuchmodule");
    expect(run.exitCode).toBe(3);
  });
});

/** How BuildKit did the last step of a stage. */
function stateOf(log: string, stage: string): string | undefined {
  const lines = log.split("\n");
  const step = lines.findLast((line) => line.includes(` ${stage}`) && / RUN /.test(line));
  const id = /^#\d+ /.exec(step ?? "")?.[0];
  return lines.findLast((line) => id !== undefined && line.startsWith(id))?.slice(id?.length);
}

test("a token from a file, and every tag into a registry", async () => {
  // Of this run alone: the registry keeps what earlier ones pushed.
  const repository = `team/erp-${randomUUID().slice(0, 8)}`;
  const image = `127.0.0.1:5000/${repository}`;
  const project = await recipe.makeProject("files", {
    more: "  tokenFile: ../tokens.env\n  tags: ['{date}-{commit}', '{version}', 'sha-{commit}', main-latest]\n",
  });
  await writeFile(path.join(recipe.work, "tokens.env"), `GIT_TOKEN=${TOKEN}\n`);
  const config = await readFile(path.join(project, "drybag.yaml"), "utf8");
  await writeFile(path.join(project, "drybag.yaml"), config.replace("image: files/erp", `image: ${image}`));
  await recipe.commitAll(project);
  const run = await recipe.drybag(project, ["build", "--push", "--json"], {});
  expect(run.exitCode, run.stderr + run.stdout).toBe(0);
  const pushed = frappeOf(JSON.parse(run.stdout) as Built).references.map((each) =>
    each.slice(image.length + 1),
  );
  expect(pushed).toHaveLength(4);
  const { stdout } = await recipe.lab.connected.exec([
    ...[process.execPath, "-e"],
    `fetch("http://127.0.0.1:5000/v2/${repository}/tags/list").then(async (answer) => console.log(await answer.text()))`,
  ]);
  expect((JSON.parse(String(stdout)) as { tags: string[] }).tags.sort()).toEqual(pushed.sort());
});
