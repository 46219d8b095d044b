import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Engine, type Lab, labUp, readLabEnvironment } from "@drybag/lab";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CASES, type LoadingCase, MORE, TREE } from "./project-loading/cases.ts";
import { CORPUS, FIXTURES } from "./support/paths.ts";
import { runDrybag } from "./support/run-programs.ts";

let lab: Lab;
let engine: Engine;
let work: string;

beforeAll(async () => {
  // For its client and Compose plugin: reading a project needs no engine.
  lab = await labUp({ name: "loading", environment: readLabEnvironment(process.env) });
  engine = lab.connected;
  work = await mkdtemp(path.join(tmpdir(), "drybag-loading-"));
});
afterAll(async () => {
  await rm(work, { recursive: true, force: true });
  await lab?.[Symbol.asyncDispose]();
});

interface Called {
  cwd: string;
  flags: string[];
  env: Record<string, string>;
}

async function layOut({ cwd = ".", flags = [], env = {}, files = {} }: LoadingCase): Promise<Called> {
  const root = await mkdtemp(path.join(work, "tree-"));
  for (const [name, text] of Object.entries({ ...TREE, ...MORE, ...files })) {
    if (text === "") continue;
    await mkdir(path.dirname(path.join(root, name)), { recursive: true });
    await writeFile(path.join(root, name), text);
  }
  const inTree = (value: string) => value.replaceAll("%", root);
  return {
    cwd: path.join(root, cwd),
    flags: flags.map(inTree),
    env: Object.fromEntries(Object.entries(env).map(([name, value]) => [name, inTree(value)])),
  };
}

interface Read {
  images: string[];
  services: string[];
}

async function asComposeReadsIt(called: Called, profiles: readonly string[]): Promise<Read> {
  const list = async (what: string) => {
    const args = ["compose", ...called.flags, ...profiles, "config", what];
    const { stdout } = await engine.docker(args, { cwd: called.cwd, env: called.env });
    return sorted(String(stdout).split("\n").filter(Boolean));
  };
  return { images: await list("--images"), services: await list("--services") };
}

async function asDrybagReadsIt({ cwd, flags, env }: Called): Promise<Read> {
  const run = await runDrybag(engine, ["images", "--json", ...flags], { cwd, env });
  expect(run).toMatchObject({ exitCode: 0 });
  const { images } = JSON.parse(run.stdout) as {
    images: { as: string; kind: string; uses: { service: string }[] }[];
  };
  const running = images.filter(({ kind }) => kind === "service" || kind === "build");
  return {
    images: sorted(running.map((image) => image.as)),
    services: sorted(running.flatMap((image) => image.uses.map((use) => use.service))),
  };
}

function sorted(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort();
}

describe("a project is the one that Compose would take, with", () => {
  test.each(CASES.map((each) => [each.title, each] as const))("%s", async (_title, each) => {
    const called = await layOut(each);
    const choosesProfiles = /PROFILES|--profile/.test(JSON.stringify(each));
    // Where no profile is chosen, drybag packs the images of all.
    const [compose, drybag] = await Promise.all([
      asComposeReadsIt(called, choosesProfiles ? [] : ["--profile", "*"]),
      asDrybagReadsIt(called),
    ]);
    expect(drybag).toEqual(compose);
    expect(drybag.services).not.toEqual([]);
  });
});

describe("what Compose would refuse is refused:", () => {
  test.each<LoadingCase>([
    { title: "a Compose file that is not there", flags: ["-f", "gone.yaml"] },
    { title: "COMPOSE_FILE with a file that is not there", env: { COMPOSE_FILE: "compose.yaml:gone.yaml" } },
    { title: "COMPOSE_ENV_FILES with a file that is not there", env: { COMPOSE_ENV_FILES: "gone.env" } },
  ])("$title", async (each) => {
    const called = await layOut(each);
    const compose = await engine.docker(["compose", ...called.flags, "config", "--quiet"], {
      cwd: called.cwd,
      env: called.env,
      reject: false,
    });
    expect(compose.exitCode).not.toBe(0);
    const run = await runDrybag(engine, ["images", "--json", ...called.flags], called);
    expect(run).toMatchObject({ exitCode: 3 });
  });
});

describe("drybag.yaml stands for flags of Compose", () => {
  const config = "project: { files: [prod.yaml, other/compose.yml], envFiles: [a.env, b.env], name: mine }\n";
  const flags = ["-f", "prod.yaml", "-f", "other/compose.yml", "--env-file", "a.env", "--env-file", "b.env"];

  test.each([".", "sub/deep", "other"])("in the folder %s", async (cwd) => {
    const called = await layOut({ title: "", files: { "drybag.yaml": config } });
    const compose = await asComposeReadsIt({ ...called, flags }, []);
    expect(await asDrybagReadsIt({ ...called, cwd: path.join(called.cwd, cwd) })).toEqual(compose);
  });

  test("which win over it, each by itself", async () => {
    const called = await layOut({ title: "", files: { "drybag.yaml": config } });
    const own = { ...called, flags: ["-f", "prod.yaml"] };
    const compose = { ...called, flags: ["-f", "prod.yaml", "--env-file", "a.env", "--env-file", "b.env"] };
    expect(await asDrybagReadsIt(own)).toEqual(await asComposeReadsIt(compose, []));
  });

  test("and which wins over the environment", async () => {
    const called = await layOut({
      title: "",
      files: { "drybag.yaml": config },
      env: { COMPOSE_FILE: "compose.yaml" },
    });
    const compose = await asComposeReadsIt({ ...called, flags }, []);
    expect(await asDrybagReadsIt(called)).toEqual(compose);
  });

  test("but not where a nearer Compose file belongs to another project", async () => {
    const called = await layOut({
      title: "",
      cwd: "other",
      files: { "drybag.yaml": "project: { files: [prod.yaml] }\n" },
    });
    expect(await asDrybagReadsIt(called)).toEqual(await asComposeReadsIt(called, []));
  });

  test("a default of a setting wins over env files, and the environment over it", async () => {
    const settings = { title: "", files: { "drybag.yaml": "settings: { V: { default: 1.10 } }\n" } };
    const called = await layOut(settings);
    expect((await asDrybagReadsIt(called)).images).toContain("base:1.10");
    expect((await asDrybagReadsIt({ ...called, env: { V: "env" } })).images).toContain("base:env");
  });
});

const hasCorpus = (await readdir(CORPUS).catch(() => [])).length > 0;

describe("what `drybag init` writes is taken as it is:", () => {
  test.each([
    ["hello", path.join(FIXTURES, "hello"), ["compose.yaml"]],
    [
      "erp",
      path.join(FIXTURES, "erp"),
      ["compose.yaml", ...["mariadb", "redis", "noproxy", "create-site"].map(override)],
    ],
    ...(hasCorpus
      ? [
          [
            "frappe_docker",
            path.join(CORPUS, "frappe_docker"),
            ["compose.yaml", ...["mariadb", "redis", "noproxy"].map(override)],
          ] as const,
        ]
      : []),
  ] as const)("%s", async (name, source, composeFiles) => {
    const cwd = path.join(await mkdtemp(path.join(work, "init-")), name);
    await cp(source, cwd, { recursive: true });
    const run = await runDrybag(engine, ["init", "--yes", "--json"], { cwd });
    expect(run).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(run.stdout)).toMatchObject({ name, composeFiles });
    const envFiles = (JSON.parse(run.stdout) as { envFiles: string[] }).envFiles;
    const flags = [
      ...composeFiles.flatMap((file) => ["-f", file]),
      ...envFiles.flatMap((file) => ["--env-file", file]),
    ];
    const env = { HELLO_GREETING: "hello" };
    const compose = await asComposeReadsIt({ cwd, flags, env }, []);
    expect(await asDrybagReadsIt({ cwd, flags: [], env: {} })).toEqual(compose);
  });
});

function override(name: string): string {
  return `overrides/compose.${name}.yaml`;
}
