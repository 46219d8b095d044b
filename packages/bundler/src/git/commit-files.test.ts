import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fetchCommitFiles } from "./commit-files.ts";
import { gitAddress } from "./git-address.ts";
import { listRemote } from "./list-remote.ts";
import { readProjectCommit } from "./work-tree.ts";

const AUTHOR = ["-c", "user.name=t", "-c", "user.email=t@example"];
const context = { env: { PATH: process.env.PATH }, signal: new AbortController().signal };

let folder: string;
let first: string;
let second: string;

const git = async (...args: string[]) =>
  String((await execa("git", [...AUTHOR, ...args], { cwd: path.join(folder, "app") })).stdout);
const address = () => gitAddress(`file://${folder}/app`, {});

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "drybag-commits-"));
  await execa("git", ["init", "--quiet", "--initial-branch=main", path.join(folder, "app")]);
  const commit = async (content: string) => {
    await writeFile(path.join(folder, "app/file.txt"), content);
    await git("add", ".");
    await git("commit", "--quiet", "--message", "change");
    return git("rev-parse", "HEAD");
  };
  first = await commit("one\n");
  await git("tag", "-a", "-m", "one", "v1");
  second = await commit("two\n");
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test("refs of a repository: annotated tags as the commits that they stand for", async () => {
  const refs = await listRemote(address(), context);
  expect("tags" in refs && [...refs.tags]).toEqual([["v1", first]]);
  expect("branches" in refs && [...refs.branches]).toEqual([["main", second]]);
});

test("a repository that is not there", async () => {
  expect(await listRemote(gitAddress(`file://${folder}/none`, {}), context)).toMatchObject({
    problem: "refused",
  });
});

describe("the files of a commit", () => {
  const kept = () => path.join(folder, "kept");

  test("are those of that commit, and can be read", async () => {
    const commit = await fetchCommitFiles(address(), first, "v1", kept(), context);
    expect([...(commit?.files ?? [])]).toEqual([["file.txt", "5626abf0f72e58d7a153368ba57db4c673c0e171"]]);
    expect(await commit?.read("file.txt")).toBe("one");
    expect(await commit?.read("other.txt")).toBeUndefined();
  });

  test("are there again without the repository", async () => {
    await execa("mv", [path.join(folder, "app"), path.join(folder, "gone")]);
    try {
      const commit = await fetchCommitFiles(address(), first, "v1", kept(), context);
      expect(commit?.files.size).toBe(1);
    } finally {
      await execa("mv", [path.join(folder, "gone"), path.join(folder, "app")]);
    }
  });

  test("of a commit that is not there are none", async () => {
    expect(await fetchCommitFiles(address(), "0".repeat(40), undefined, kept(), context)).toBeUndefined();
  });

  test("credentials are written nowhere", async () => {
    const secret = gitAddress("https://${T}@127.0.0.1:9/app", { T: "hunter2hunter2" });
    expect(await fetchCommitFiles(secret, first, undefined, kept(), context)).toBeUndefined();
    const { stdout } = await execa("grep", ["-rlE", "hunter2|aHVudGVy", kept()], { reject: false });
    expect(stdout).toBe("");
  });
});

test("the commit of a work tree, its branch, and what is not committed", async () => {
  const app = path.join(folder, "app");
  expect(await readProjectCommit(app, context)).toMatchObject({ commit: second, branch: "main", dirty: [] });
  await writeFile(path.join(app, "new file.txt"), "");
  await writeFile(path.join(app, "file.txt"), "three\n");
  expect((await readProjectCommit(app, context))?.dirty.sort()).toEqual(["file.txt", "new file.txt"]);
  expect(await readFile(path.join(app, "file.txt"), "utf8")).toBe("three\n");
  expect(await readProjectCommit(folder, context)).toBeUndefined();
});

test("a carry folder in the work tree is no change", async () => {
  const app = path.join(folder, "app");
  await git("checkout", "--quiet", "file.txt");
  await execa(
    "sh",
    ["-c", "rm -f 'new file.txt' && mkdir erp-1 && touch erp-1/SHA256SUMS erp-1/install.sh"],
    {
      cwd: app,
    },
  );
  expect((await readProjectCommit(app, context))?.dirty).toEqual([]);
});
