import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Engine, type Lab, labUp, readLabEnvironment } from "@drybag/lab";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CORPUS } from "../support/paths.ts";
import { runDrybag } from "../support/run-programs.ts";
import { PROJECTS, type SmallProject } from "./projects.ts";

interface Use {
  service?: string;
  file?: string;
  line?: number;
  column?: number;
}
interface Listing {
  images: { as: string; ref: string; kind: string; build: boolean; profiles: string[]; uses: Use[] }[];
  leftOut: unknown[];
}

let lab: Lab;
let engine: Engine;
let work: string;

beforeAll(async () => {
  lab = await labUp({ name: "images", environment: readLabEnvironment(process.env) });
  engine = lab.connected;
  work = await mkdtemp(path.join(tmpdir(), "drybag-images-"));
});
afterAll(async () => {
  await rm(work, { recursive: true, force: true });
  await lab?.[Symbol.asyncDispose]();
});

async function listImages(
  cwd: string,
  flags: readonly string[],
  env: Record<string, string> = {},
): Promise<Listing> {
  const run = await runDrybag(engine, ["images", "--json", ...flags], { cwd, env });
  expect(run).toMatchObject({ exitCode: 0 });
  return JSON.parse(run.stdout) as Listing;
}

/** What Compose itself says, with the same flags; of all profiles where none is chosen. */
async function composeImages(
  cwd: string,
  flags: readonly string[],
  env: Record<string, string> = {},
): Promise<string[]> {
  const profiles = flags.includes("--profile") ? [] : ["--profile", "*"];
  const { stdout } = await engine.docker(["compose", ...flags, ...profiles, "config", "--images"], {
    cwd,
    env,
  });
  return [...new Set(String(stdout).split("\n").filter(Boolean))].sort();
}

function runningImages(listing: Listing): string[] {
  const images = listing.images.filter((image) => image.kind === "service" || image.kind === "build");
  return [...new Set(images.map((image) => image.as))].sort();
}

async function write(project: SmallProject): Promise<string> {
  const folder = await mkdtemp(path.join(work, "project-"));
  for (const [name, content] of Object.entries(project.files)) {
    await mkdir(path.join(folder, path.dirname(name)), { recursive: true });
    await writeFile(path.join(folder, name), content);
  }
  return folder;
}

/** Line and column at which a text stands in a file, once, as an editor shows them. */
async function placeOf(file: string, text: string): Promise<Use> {
  const content = (await readFile(file, "utf8")).replace(/^\uFEFF/, "");
  const at = content.lastIndexOf(text);
  if (at === -1) throw new Error(`${file} does not hold ${text}`);
  const before = content.slice(0, at).split("\n");
  return { file, line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

describe("the same images as Compose, and where they are written", () => {
  test.each(PROJECTS.map((project) => [project.title, project] as const))("%s", async (_title, project) => {
    const { flags = [], env = {}, hidden = {} } = project;
    const folder = await write(project);
    const cwd = path.join(folder, project.cwd ?? ".");
    const listing = await listImages(cwd, flags, env);
    // Compose refuses a required variable without a value, which Drybag leaves to the site.
    const given = Object.fromEntries(Object.entries(env).map(([name, value]) => [name, value || "1"]));
    expect(runningImages(listing)).toEqual(await composeImages(cwd, flags, given));
    for (const [kind, images] of Object.entries(hidden)) {
      expect(listing.images.filter((image) => image.kind === kind).map((image) => image.as)).toEqual(images);
    }
    const running = listing.images.filter((image) => image.kind === "service" || image.kind === "build");
    const uses = running.flatMap((image) => image.uses);
    expect(uses.map((use) => use.service).sort()).toEqual(Object.keys(project.written).sort());
    for (const [service, [file, text]] of Object.entries(project.written)) {
      const { line, column, file: found } = uses.find((use) => use.service === service) ?? {};
      expect({ file: found, line, column }, service).toEqual(await placeOf(path.join(folder, file), text));
    }
  });

  test("there are at least thirty", () => expect(PROJECTS.length).toBeGreaterThanOrEqual(30));
});

test("what a profile that is not chosen would need is shown", async () => {
  const files = {
    "compose.yaml": "services:\n  s: {image: 'redis:8'}\n  d: {image: 'adminer:5', profiles: [debug]}\n",
  };
  const cwd = await write({ title: "", files, written: {} });
  const { leftOut } = await listImages(cwd, ["--profile", "other"]);
  expect(leftOut).toMatchObject([{ as: "adminer:5", profiles: ["debug"] }]);
});

const overrides = await readdir(path.join(CORPUS, "frappe_docker", "overrides")).catch(() => []);

describe.skipIf(overrides.length === 0)("frappe_docker", () => {
  const env = {
    // Required by one override or another; each combination asks for some of them.
    ...{
      SITES: "a",
      BASE_SITE: "a",
      DB_PASSWORD: "x",
      TRAEFIK_DOMAIN: "t.example",
      EMAIL: "a@t.example",
      HASHED_PASSWORD: "x",
    },
    ...{
      DATABASE: "d",
      ROUTER: "r",
      BENCH_NETWORK: "b",
      NGINX_PROXY_HOSTS: "n.example",
      LETSENCRYPT_EMAIL: "a@t.example",
    },
    ...{ SITES_RULE: "Host(`a`)", DB_PASSWORD_SECRETS_FILE: "./password" },
  };
  const base = ["compose.yaml"];
  const data = ["compose.yaml", "overrides/compose.mariadb.yaml", "overrides/compose.redis.yaml"];
  const combinations = [
    ["pwd.yml"],
    data,
    [...data, "overrides/compose.noproxy.yaml"],
    ...overrides.flatMap((name) => [
      [...base, `overrides/${name}`],
      [...data, `overrides/${name}`],
    ]),
  ];
  test.each(combinations.map((files) => [files.join(" + "), files] as const))("%s", async (_title, files) => {
    const cwd = path.join(work, "frappe_docker");
    await cp(path.join(CORPUS, "frappe_docker"), cwd, { recursive: true });
    const flags = ["--env-file", "example.env", ...files.flatMap((file) => ["-f", file])];
    const refused = await engine.docker(["compose", ...flags, "config", "-q"], { cwd, env, reject: false });
    if (refused.exitCode !== 0) {
      // Some overrides stand only beside others; then both must refuse.
      expect((await runDrybag(engine, ["images", ...flags], { cwd, env })).exitCode).toBe(3);
      return;
    }
    const listing = await listImages(cwd, flags, env);
    expect(runningImages(listing)).toEqual(await composeImages(cwd, flags, env));
    for (const image of listing.images) {
      for (const use of image.uses) expect(use, image.as).toMatchObject({ line: expect.any(Number) });
    }
  });
});
