import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import type { Engine } from "@drybag/lab";
import { execa } from "execa";

/** Git repositories over HTTP, on loopback of an engine's namespace. */
export interface GitServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` */
  url: string;
  /** What repositories below `private/` want. */
  password: string;
}

/** @param folder with bare repositories, as `createRepository` makes them */
export async function startGitServer(engine: Engine, folder: string, password: string): Promise<GitServer> {
  const script = path.join(import.meta.dirname, "git-server/serve.ts");
  const child = engine.exec([process.execPath, script, folder], {
    env: { GIT_SERVER_PASSWORD: password },
    stdin: "ignore",
    stderr: "inherit",
    reject: false,
    buffer: false,
  });
  const lines = createInterface({ input: child.stdout as unknown as NodeJS.ReadableStream });
  const first = await lines[Symbol.asyncIterator]().next();
  if (first.done) throw new Error("the git server ended before it listened");
  return {
    url: `http://127.0.0.1:${first.value}`,
    password,
    async [Symbol.asyncDispose]() {
      child.kill();
      await child;
    },
  };
}

/** The same commits on every machine, at any time. */
const IDENTITY = {
  GIT_AUTHOR_NAME: "Test",
  GIT_AUTHOR_EMAIL: "test@example.com",
  GIT_AUTHOR_DATE: "2025-11-18T12:00:00Z",
  GIT_COMMITTER_NAME: "Test",
  GIT_COMMITTER_EMAIL: "test@example.com",
  GIT_COMMITTER_DATE: "2025-11-18T12:00:00Z",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_SYSTEM: "/dev/null",
};

/**
 * Makes a bare repository of the branch `develop` with one commit a tag, in their order. Returns the commits of the tags.
 * @param filesOf what a tag's commit holds
 */
export async function createRepository(
  bare: string,
  tags: readonly string[],
  filesOf: (tag: string) => Record<string, string> = (tag) => ({ version: `${tag}\n` }),
): Promise<Record<string, string>> {
  const work = `${bare}.work`;
  await mkdir(work, { recursive: true });
  const git = (...args: string[]) => execa("git", args, { cwd: work, env: IDENTITY });
  await git("init", "--quiet", "--initial-branch", "develop");
  const commits: Record<string, string> = {};
  for (const tag of tags) {
    for (const [name, text] of Object.entries(filesOf(tag))) {
      await mkdir(path.dirname(path.join(work, name)), { recursive: true });
      await writeFile(path.join(work, name), text);
    }
    await git("add", "--all");
    await git("commit", "--quiet", "--message", tag);
    await git("tag", "--annotate", "--message", tag, tag);
    commits[tag] = (await git("rev-parse", "HEAD")).stdout;
  }
  await git("clone", "--quiet", "--bare", ".", bare);
  return commits;
}
