import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { projectFlags } from "../project-options.ts";
import { findConfig } from "./find-config.ts";

let root: string;

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), "drybag-find-"));
});
afterEach(() => rm(root, { recursive: true }));

async function lay(files: Record<string, string>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(root, name)), { recursive: true });
    await writeFile(path.join(root, name), text);
  }
}

async function found(cwd: string, flags = {}): Promise<string | undefined> {
  const config = await findConfig(flags, path.join(root, cwd));
  return config && path.relative(root, config.project.file);
}

test("the nearest is found from every folder below", async () => {
  await lay({ "drybag.yaml": "name: a", "x/y/z": "", "x/drybag.yml": "name: b" });
  expect(await found(".")).toBe("drybag.yaml");
  expect(await found("x/y")).toBe("x/drybag.yml");
});

test("one above another project's Compose file is not its own, unless it names that file", async () => {
  await lay({
    "drybag.yaml": "",
    "compose.yaml": "",
    "deploy/compose.yaml": "",
    "example/compose.yaml": "",
    "example/sub/x": "",
  });
  expect(await found("example/sub")).toBeUndefined();
  await lay({ "drybag.yaml": "project: { files: [deploy/compose.yaml] }" });
  expect(await found("deploy")).toBe("drybag.yaml");
  expect(await found("example")).toBeUndefined();
});

test("it is looked for where the project lies that flags name", async () => {
  await lay({
    "drybag.yaml": "",
    "deploy/drybag.yaml": "",
    "deploy/compose.yaml": "",
    "other/stack.yaml": "",
  });
  expect(await found(".", { file: ["deploy/compose.yaml"] })).toBe("deploy/drybag.yaml");
  expect(await found("other", { file: ["stack.yaml"] })).toBe("drybag.yaml");
  expect(await found(".", { projectDirectory: "deploy" })).toBe("deploy/drybag.yaml");
});

test("--config names any, and one that is not there is an error", async () => {
  await lay({ "ci/packing.yaml": "name: ci", "drybag.yaml": "name: a" });
  expect(await found("ci", { config: "packing.yaml" })).toBe("ci/packing.yaml");
  await expect(found(".", { config: "gone.yaml" })).rejects.toMatchObject({ code: "file-missing" });
  await expect(found(".", { config: "ci" })).rejects.toMatchObject({ code: "file-unreadable" });
});

test("mistakes are shown with the path as seen from here", async () => {
  await lay({ "drybag.yaml": "imges: {}", "sub/x": "" });
  await expect(found("sub")).rejects.toMatchObject({
    code: "config-invalid",
    message: "../drybag.yaml:1:1: unknown key 'imges'; did you mean 'images'?",
  });
});

test.each([
  ["a binary file", Buffer.from([0x6e, 0x61, 0, 0x01]), /:1:3: this is not a text file/],
  ["another encoding", Buffer.from([0x6e, 0xff, 0xfe]), /:1:1: this is not a text file in UTF-8/],
  ["2 MiB", Buffer.alloc(2 << 20, "#"), /:1:1: a drybag.yaml of more than 256 KiB/],
])("%s is refused", async (_, content, message) => {
  await writeFile(path.join(root, "drybag.yaml"), content);
  await expect(found(".")).rejects.toMatchObject({
    code: "config-invalid",
    message: expect.stringMatching(message),
  });
});

test("flags win over drybag.yaml, each by itself", async () => {
  await lay({
    "drybag.yaml": "project: { files: [a.yaml], envFiles: [a.env], profiles: [p], name: n, directory: d }",
    "sub/x": "",
  });
  const cwd = path.join(root, "sub");
  expect(projectFlags({}, cwd, await findConfig({}, cwd))).toMatchObject({
    cwd: root,
    files: [path.join(root, "a.yaml")],
    envFiles: [path.join(root, "a.env")],
    profiles: ["p"],
    projectName: "n",
    projectDirectory: path.join(root, "d"),
    config: { folder: root },
  });
  const flags = { file: ["b.yaml"], profile: ["q"], projectName: "m" };
  expect(projectFlags(flags, cwd, await findConfig(flags, cwd))).toMatchObject({
    cwd,
    files: [path.join(cwd, "b.yaml")],
    envFiles: [path.join(root, "a.env")],
    profiles: ["q"],
    projectName: "m",
  });
  expect(projectFlags({}, cwd)).toEqual({
    cwd,
    files: [],
    envFiles: [],
    profiles: [],
    projectName: undefined,
    projectDirectory: undefined,
    config: undefined,
  });
});
