import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { buildFixture } from "@drybag/fixtures";
import type { BuildProvenance, Manifest } from "@drybag/format";
import { type Lab, labUp, readLabEnvironment } from "@drybag/lab";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DRYBAG } from "./support/paths.ts";
import { runDrybag } from "./support/run-programs.ts";

const SECRET = "planted-secret-of-builds";

let lab: Lab;
let work: string;
let project: string;

interface Built {
  images: {
    name: string;
    references: string[];
    id: string;
    provenance: BuildProvenance;
    cachedSteps: number;
    steps: number;
  }[];
}

const CONFIG = `name: shop
builds:
  base:
    context: images/base
  web:
    context: images/web
    image: shop/web
    needs: [base]
    args: { GREETING: 1.10, STANDS_ON: "{image:base}" }
    secrets: { token: { env: SHOP_TOKEN } }
    env: { WEB_IMAGE: "{image}:{tag}" }
    environments:
      production: { args: { GREETING: welcome }, tags: ["{date}-{commit}-production", production-latest] }
  spare:
    context: images/base
`;

const FILES: Record<string, string> = {
  "drybag.yaml": CONFIG,
  "images/base/Dockerfile": "FROM drybag/hello-web:1.0.0\nRUN echo base > /base.txt\n",
  "images/web/Dockerfile": `FROM base
ARG GREETING
ARG STANDS_ON
RUN --mount=type=secret,id=token test "$(wc -c < /run/secrets/token)" = ${SECRET.length} && echo "$GREETING on $STANDS_ON" > /web.txt
`,
  "images/task/Dockerfile": 'FROM drybag/hello-task:1.0.0\nARG NOTE\nRUN echo "$NOTE" > /note.txt\n',
  "compose.yaml": `services:
  web: {image: "\${WEB_IMAGE:?}"}
  task: {image: "shop/task:1", restart: "no", build: {context: images/task, args: {NOTE: hello}}}
`,
};

beforeAll(async () => {
  lab = await labUp({ name: "build", environment: readLabEnvironment(process.env) });
  work = await mkdtemp(path.join(tmpdir(), "drybag-build-"));
  await buildFixture("hello", { engineEnv: lab.connected.env });
  project = await makeProject("shop");
});

afterAll(async () => {
  await rm(work, { recursive: true, force: true });
  await lab?.[Symbol.asyncDispose]();
});

async function makeProject(name: string, changes: Record<string, string> = {}): Promise<string> {
  const folder = path.join(work, name);
  for (const [file, content] of Object.entries({ ...FILES, ...changes })) {
    await mkdir(path.dirname(path.join(folder, file)), { recursive: true });
    await writeFile(path.join(folder, file), content);
  }
  const git = (...args: string[]) =>
    execa("git", ["-c", "user.name=t", "-c", "user.email=t@example", ...args], { cwd: folder });
  await git("init", "--quiet", "--initial-branch=main");
  await git("add", "--all");
  await git("commit", "--quiet", "--message", "one");
  return folder;
}

const environment = () => ({
  XDG_STATE_HOME: path.join(work, "state"),
  XDG_CACHE_HOME: path.join(work, "cache"),
  SHOP_TOKEN: SECRET,
});

const drybag = (args: readonly string[], cwd = project, env: Record<string, string> = {}) =>
  runDrybag(lab.connected, args, { cwd, env: { ...environment(), ...env } });

async function build(...args: string[]): Promise<Built["images"]> {
  const run = await drybag(["build", "--json", ...args]);
  expect(run.exitCode, run.stderr + run.stdout).toBe(0);
  return (JSON.parse(run.stdout) as Built).images;
}

const docker = async (...args: string[]) => String((await lab.connected.docker(args)).stdout);
const fileIn = (image: string, file: string) => docker("run", "--rm", "--entrypoint", "cat", image, file);

test("one target is built with those that it needs, on their images", async () => {
  const images = await build("web");
  expect(images.map(({ name }) => name)).toEqual(["base", "web"]);
  const [base, web] = images.map(({ references }) => references[0] ?? "");
  expect(base).toMatch(/^base:\d{8}-[0-9a-f]{7}$/);
  expect(await fileIn(web ?? "", "/web.txt")).toBe(`1.10 on ${base}`);
  expect(await fileIn(web ?? "", "/base.txt")).toBe("base");
});

test("everything is built, Compose's own too, out of the cache where nothing has changed", async () => {
  const images = await build();
  expect(images.map(({ name }) => name)).toEqual(["base", "web", "spare", "task"]);
  const task = images.at(-1);
  expect(task?.references).toEqual(["shop/task:1"]);
  expect(task?.provenance).toMatchObject({
    target: "task",
    file: "images/task/Dockerfile",
    args: { NOTE: "hello" },
  });
  expect(await fileIn("shop/task:1", "/note.txt")).toBe("hello");
  const web = images.find(({ name }) => name === "web");
  expect(web).toMatchObject({ steps: 1, cachedSteps: 1 });
});

test("an environment has arguments and tags of its own", async () => {
  const web = (await build("web", "--environment", "production")).at(-1);
  expect(web?.references).toEqual([expect.stringMatching(/-production$/), "shop/web:production-latest"]);
  expect(await fileIn("shop/web:production-latest", "/web.txt")).toMatch(/^welcome on base:/);
});

describe("packing", () => {
  const manifestOf = async (stdout: string): Promise<Manifest> => {
    const { directory } = JSON.parse(stdout) as { directory: string };
    const tar = (await readdir(directory)).find((name) => name.endsWith(".tar")) ?? "";
    return JSON.parse(
      (await execa("tar", ["-xOf", path.join(directory, tar), "drybag.json"])).stdout,
    ) as Manifest;
  };

  test("builds what the stack runs, says what it leaves, and carries what it was built from", async () => {
    const run = await drybag(["pack", "--json", "-o", path.join(work, "out")]);
    expect(run.exitCode, run.stderr).toBe(0);
    expect(run.stderr).toMatch(/build-unused.*'spare'|'spare'.*build-unused/);
    const manifest = await manifestOf(run.stdout);
    const builds = manifest.images.map(({ tag, provenance }) => [
      tag.replace(/:.*/, ""),
      provenance.build?.target,
    ]);
    expect(builds).toEqual([
      ["shop/task", "task"],
      ["shop/web", "web"],
    ]);
    expect(JSON.stringify(manifest)).not.toContain(SECRET);
  });

  test("--no-build packs what was built before, and knows it", async () => {
    const images = async () => (await docker("image", "ls", "--no-trunc", "--quiet")).split("\n").sort();
    const before = await images();
    const run = await drybag(["pack", "--no-build", "--json", "-o", path.join(work, "out-2")], project, {
      SHOP_TOKEN: "",
    });
    expect(run.exitCode, run.stderr).toBe(0);
    expect(
      (await manifestOf(run.stdout)).images.every(({ provenance }) => provenance.build !== undefined),
    ).toBe(true);
    expect(await images()).toEqual(before);
  });

  test("--no-build without the image says so, and pulls nothing", async () => {
    const folder = await makeProject("unbuilt", {
      "drybag.yaml": CONFIG.replace("shop/web", "shop/unbuilt"),
    });
    const run = await drybag(["pack", "--no-build"], folder);
    expect(run.stderr).toMatch(
      /shop\/unbuilt:\S+ is built by the project and is not there\. \[image-not-found\]/,
    );
    expect(run.exitCode).toBe(8);
  });
});

describe("refused:", () => {
  test("a target that is not there", async () => {
    const run = await drybag(["build", "wep"]);
    expect(run.stderr).toMatch(/no build 'wep'; did you mean 'web'/);
    expect(run.exitCode).toBe(2);
  });

  test("a secret without a value, before anything is built", async () => {
    const run = await drybag(["build"], project, { SHOP_TOKEN: "" });
    expect(run.stderr).toMatch(
      /SHOP_TOKEN must have a value: it is the secret 'token' of web\. \[token-missing\]/,
    );
    expect(run.stderr).not.toMatch(/Build base/);
    expect(run.exitCode).toBe(3);
  });

  test("a secret that stays in a layer, even where a later one deletes it", async () => {
    const leaky = `FROM base\nRUN --mount=type=secret,id=token cp /run/secrets/token /left.txt\nRUN rm /left.txt\n`;
    const folder = await makeProject("leaky", {
      "images/web/Dockerfile": leaky,
      "drybag.yaml": CONFIG.replace("shop/web", "shop/leaky"),
    });
    const run = await drybag(["build", "web"], folder);
    expect(run.stderr).toMatch(/\[token-leaked\][\s\S]*in the file left\.txt/);
    expect(run.stderr).not.toContain(SECRET);
    expect(run.exitCode).toBe(3);
    expect(await docker("image", "ls", "--quiet", "shop/leaky")).toBe("");
  });

  test("a secret of Compose that stays in an image", async () => {
    const compose = FILES["compose.yaml"] ?? "";
    const folder = await makeProject("leaky-service", {
      "images/task/Dockerfile":
        "FROM drybag/hello-task:1.0.0\nRUN --mount=type=secret,id=key cp /run/secrets/key /kept.txt\n",
      "compose.yaml": `${compose.replace("args: {NOTE: hello}", "secrets: [key]").replace("shop/task:1", "shop/leaky-task:1")}secrets: {key: {environment: SHOP_TOKEN}}\n`,
    });
    const run = await drybag(["build", "task"], folder);
    expect(run.stderr).toMatch(/\[token-leaked\][\s\S]*in the file kept\.txt/);
    expect(run.exitCode).toBe(3);
    expect(await docker("image", "ls", "--quiet", "shop/leaky-task")).toBe("");
  });

  test("a service whose build fails, with its step and its log", async () => {
    const broken = "FROM drybag/hello-task:1.0.0\nRUN echo before && cat /nowhere/at/all\n";
    const folder = await makeProject("broken", { "images/task/Dockerfile": broken });
    const run = await drybag(["build", "task"], folder);
    expect(run.stderr).toMatch(
      /Building task failed\.[\s\S]*step: \[.*2\/2\] RUN echo before[\s\S]*\/nowhere\/at\/all/,
    );
    expect(run.exitCode).toBe(3);
    const logFile = /The whole log: (\S+)/.exec(run.stderr)?.[1] ?? "";
    expect(await readFile(logFile, "utf8")).toContain("/nowhere/at/all");
  });

  test("no buildx", async () => {
    const config = path.join(work, "docker-config");
    await cp(lab.connected.env.DOCKER_CONFIG ?? "", config, { recursive: true, dereference: true });
    await rm(path.join(config, "cli-plugins", "docker-buildx"));
    const run = await drybag(["build"], project, { DOCKER_CONFIG: config });
    expect(run.stderr).toMatch(/\[buildx-missing\]/);
    expect(run.exitCode).toBe(4);
  });
});

test("Ctrl-C ends a build soon, and leaves no image", async () => {
  const folder = await makeProject("slow", {
    "images/base/Dockerfile": "FROM drybag/hello-web:1.0.0\nRUN while sleep 1; do echo begun; done\n",
    "drybag.yaml": CONFIG.replace("  base:\n", "  base:\n    image: shop/slow\n"),
  });
  const child = execa(process.execPath, ["--", DRYBAG, "build", "base", "--json"], {
    cwd: folder,
    env: { ...lab.connected.env, ...environment() },
    reject: false,
    stdin: "ignore",
    detached: true,
  });
  await new Promise<void>((resolve, reject) => {
    child.stderr.on("data", (chunk: Buffer) => {
      if (chunk.toString().includes("] begun")) resolve();
    });
    child.then(({ stderr }) => reject(new Error(stderr)));
  });
  process.kill(-(child.pid as number), "SIGINT");
  expect((await child).exitCode).toBe(130);
  expect(await docker("image", "ls", "--quiet", "shop/slow")).toBe("");
});
