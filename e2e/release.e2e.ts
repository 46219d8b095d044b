import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Engine, type Lab, labUp, readLabEnvironment } from "@drybag/lab";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type FakeFinding, writeFakeTrivy } from "./support/fake-scanner.ts";
import { runDrybag } from "./support/run-programs.ts";

/** What surrounds packing: files of other deployers, scanning, release notes. */

const FILES = {
  "compose.yaml":
    "services:\n  web:\n    image: ${WEB_IMAGE}:${WEB_TAG:?}\n    environment: {PORT: '${PORT:-8080}'}\n",
  Dockerfile: "FROM scratch\nCOPY content /content\n",
  content: "first\n",
  "drybag.yaml": `version: 1.0.0
builds:
  web:
    image: registry.example/shop/web
    tags: ["{version}"]
    env: {WEB_IMAGE: "{image}", WEB_TAG: "{tag}"}
update:
  - {file: helm/values.yaml, path: image.tag, value: "{tag}"}
  - {file: deploy.json, path: "services[0].image", value: "{reference}"}
`,
  "helm/values.yaml": "# Values\nimage:\n  tag: 0.9.0   # by drybag\n  pullPolicy: Never\n",
  "deploy.json": '{\n\t"services": [{"image": "old"}]\n}\n',
};

let lab: Lab;
let engine: Engine;
let work: string;
let cwd: string;
let bin: string;

beforeAll(async () => {
  lab = await labUp({ name: "release", environment: readLabEnvironment(process.env) });
  engine = lab.connected;
  work = await mkdtemp(path.join(tmpdir(), "drybag-release-"));
  cwd = path.join(work, "project");
  bin = path.join(work, "bin");
  await mkdir(bin);
  await writeProject();
});

afterAll(async () => {
  await rm(work, { recursive: true, force: true });
  await lab?.[Symbol.asyncDispose]();
});

async function writeProject(changes: Partial<typeof FILES> = {}): Promise<void> {
  for (const [name, text] of Object.entries({ ...FILES, ...changes })) {
    await mkdir(path.dirname(path.join(cwd, name)), { recursive: true });
    await writeFile(path.join(cwd, name), text);
  }
}

function drybag(args: readonly string[], findings?: readonly FakeFinding[]) {
  const env = {
    XDG_CACHE_HOME: path.join(work, "cache"),
    XDG_STATE_HOME: path.join(work, "state"),
    PATH: `${bin}:${engine.env.PATH}`,
  };
  const ready = findings === undefined ? Promise.resolve() : writeFakeTrivy(bin, findings);
  return ready.then(() => runDrybag(engine, args, { cwd, env }));
}

const read = (name: string) => readFile(path.join(cwd, name), "utf8");

async function expectFilesUntouched(): Promise<void> {
  for (const name of ["helm/values.yaml", "deploy.json"] as const) expect(await read(name)).toBe(FILES[name]);
}

describe("update of drybag.yaml", () => {
  test("is checked before anything is built", async () => {
    await writeProject({ "helm/values.yaml": "image: {tga: 1}\n" });
    const run = await drybag(["build", "--update-files"]);
    expect(run).toMatchObject({
      exitCode: 3,
      stderr: expect.stringMatching(/drybag\.yaml:8:\d+: .*has no image\.tag.*\[place-unknown\]/),
    });
    const { exitCode } = await engine.docker(["image", "inspect", "registry.example/shop/web:1.0.0"], {
      reject: false,
    });
    expect(exitCode).toBe(1);
    await writeProject();
  });

  test("is written on request only, and only the values change", async () => {
    expect(await drybag(["build", "--json"])).toMatchObject({ exitCode: 0 });
    await expectFilesUntouched();
    const run = await drybag(["build", "--json", "--update-files"]);
    expect(JSON.parse(run.stdout)).toMatchObject({
      updatedFiles: [path.join(cwd, "helm/values.yaml"), path.join(cwd, "deploy.json")],
    });
    expect(await read("helm/values.yaml")).toBe(FILES["helm/values.yaml"].replace("0.9.0", "1.0.0"));
    expect(await read("deploy.json")).toBe(
      FILES["deploy.json"].replace("old", "registry.example/shop/web:1.0.0"),
    );
    await writeProject();
  });
});

describe("scan", () => {
  const critical = { id: "CVE-2025-9", severity: "Critical", fixed: "2.0" };
  const low = { id: "CVE-2025-1", severity: "Low" };
  let carryFolder: string;

  test("without a scanner: refused before anything is built, and says how to get one", async () => {
    await rm(path.join(bin, "trivy"), { force: true });
    for (const command of [["scan"], ["pack", "--scan", "-o", work]]) {
      const run = await drybag(command);
      expect(run).toMatchObject({ exitCode: 6, stderr: expect.stringContaining("https://trivy.dev") });
    }
  });

  test("a pack with what counts is not written, and says what it is", async () => {
    const output = path.join(work, "refused");
    const run = await drybag(["pack", "--scan", "--update-files", "-o", output], [critical, low]);
    expect(run).toMatchObject({
      exitCode: 9,
      stderr: expect.stringMatching(/\[scan-found\][\s\S]*critical CVE-2025-9 in libx 1\.0/),
    });
    expect(await readdir(output).catch(() => [])).toEqual([]);
    await expectFilesUntouched();
  });

  test("a pack carries its report, which readers verify and installing ignores", async () => {
    const output = path.join(work, "out");
    const run = await drybag(["pack", "--json", "--scan", "--update-files", "-o", output], [low]);
    expect(run).toMatchObject({ exitCode: 0 });
    carryFolder = (JSON.parse(run.stdout) as { directory: string }).directory;
    expect(await read("helm/values.yaml")).toContain("tag: 1.0.0   # by drybag");
    const tar = path.join(carryFolder, `${path.basename(carryFolder)}.tar`);
    const { stdout } = await execa("tar", ["-xOf", tar, "extra/scan.json"]);
    expect(JSON.parse(stdout)).toMatchObject({
      scanner: { name: "trivy", version: "0.99.1" },
      images: [
        {
          tag: "registry.example/shop/web:1.0.0",
          vulnerabilities: [{ id: "CVE-2025-1", severity: "low" }],
          report: { SchemaVersion: 2 },
        },
      ],
    });
    expect(await drybag(["verify", carryFolder])).toMatchObject({ exitCode: 0 });
  });

  test("of a bundle: each image is taken out verified, and read by the scanner", async () => {
    const kept = path.join(work, "report.json");
    const run = await drybag(["scan", carryFolder, "--json", "--output", kept], [critical, low]);
    expect(run).toMatchObject({ exitCode: 9 });
    expect(JSON.parse(run.stdout)).toMatchObject({
      severity: "high",
      found: 1,
      images: [{ vulnerabilities: [{}, {}] }],
    });
    expect(JSON.parse(await readFile(kept, "utf8"))).toMatchObject({
      images: [{ report: { SchemaVersion: 2 } }],
    });
    expect(await drybag(["scan", carryFolder], [low])).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining("1 image scanned by trivy 0.99.1: 0 of severity high or worse."),
    });
  });

  test("of the project: the images that the engine has", async () => {
    expect(await drybag(["scan", "--severity", "low"], [low])).toMatchObject({
      exitCode: 9,
      stdout: expect.stringContaining("registry.example/shop/web:1.0.0"),
    });
    await writeProject({ "drybag.yaml": FILES["drybag.yaml"].replace("1.0.0", "2.0.0") });
    expect(await drybag(["scan"])).toMatchObject({
      exitCode: 8,
      stderr: expect.stringContaining("[image-not-found]"),
    });
  });

  test("notes tell what is new since that bundle", async () => {
    await writeProject({
      "drybag.yaml": FILES["drybag.yaml"].replace("1.0.0", "2.0.0"),
      "compose.yaml": `${FILES["compose.yaml"].replace("8080", "9090")}    volumes: ["./content:/content:ro"]\n`,
    });
    const project = await drybag(["notes", carryFolder]);
    expect(project).toMatchObject({ exitCode: 0 });
    expect(project.stdout).toMatch(/`registry.example\/shop\/web` \| `1\.0\.0` `[0-9a-f]{12}` \| `2\.0\.0`/);
    expect(project.stdout).toContain("- changed: `PORT`, default `8080` -> `9090`");
    expect(project.stdout).toContain("- added: `content`");
    const output = path.join(work, "out");
    const packed = await drybag(["pack", "--json", "-o", output]);
    const next = (JSON.parse(packed.stdout) as { directory: string }).directory;
    const bundles = JSON.parse((await drybag(["notes", carryFolder, next, "--json"])).stdout);
    expect(bundles).toMatchObject({
      before: { version: "1.0.0" },
      after: { kind: "bundle", version: "2.0.0" },
      images: [
        { repository: "registry.example/shop/web", before: { tag: "1.0.0" }, after: { tag: "2.0.0" } },
      ],
      size: { bytes: expect.any(Number), newLayers: { count: 0 }, layers: { count: 1 } },
    });
  });
});
