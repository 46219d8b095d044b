import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type LabPaths, planLabPaths } from "./lab-paths.ts";
import { deleteStateFolder, requireOwnFolder } from "./state-folder.ts";

let stateRoot: string;
let paths: LabPaths;
beforeEach(async () => {
  stateRoot = await mkdtemp(join(tmpdir(), "lab-state-"));
  paths = planLabPaths("a", { stateRoot, cacheRoot: "/nowhere", path: "" });
});
afterEach(() => rm(stateRoot, { recursive: true }));

describe("requireOwnFolder", () => {
  it("accepts none, an empty one, and one with a record", async () => {
    await requireOwnFolder(paths);
    await mkdir(paths.folder);
    await requireOwnFolder(paths);
    await writeFile(`${paths.recordFile}.12.tmp`, "");
    await requireOwnFolder(paths);
    await writeFile(paths.recordFile, "");
    await writeFile(join(paths.folder, "other"), "");
    await requireOwnFolder(paths);
  });

  it("refuses somebody's folder", async () => {
    await mkdir(join(paths.folder, "documents"), { recursive: true });
    await expect(requireOwnFolder(paths)).rejects.toThrow("it is not a lab");
  });
});

describe("deleteStateFolder", () => {
  it("leaves nothing", async () => {
    await mkdir(join(paths.folder, "site/data"), { recursive: true });
    await writeFile(paths.recordFile, "");
    await deleteStateFolder(paths);
    expect(existsSync(paths.folder)).toBe(false);
    await deleteStateFolder(paths);
  });
});
