import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Engine } from "@drybag/lab";
import { execa } from "execa";
import { FIXTURES } from "../support/paths.ts";

/** Where builds and programs in the connected engine's namespace reach a server of that namespace: Docker's own bridge. */
const HOST = "172.17.0.1";
const PORT = 8418;

/** A git server with the repositories of a small Frappe world. */
export interface GitApps extends AsyncDisposable {
  /** Its address for what everybody may read, and for what wants a token. */
  address: string;
  privateAddress: string;
  /** The same repositories as files. */
  folder: string;
  commits: Record<"indiaMain" | "indiaUntagged", string>;
}

const INIT = (version: string) => `__version__ = "${version}"\n`;

function appFiles(module: string, version: string): Record<string, string> {
  return {
    [`${module}/__init__.py`]: INIT(version),
    [`${module}/hooks.py`]: `app_name = "${module}"\n`,
    "pyproject.toml": `[project]\nname = "${module}"\n\n[tool.bench.frappe-dependencies]\nfrappe = ">=16.0.0,<17.0.0"\n`,
    "README.md": `# ${module}\n\nA stand-in of Drybag's fixtures.\n`,
  };
}

/**
 * Makes the repositories and serves them in the engine's namespace: frappe and erpnext for everybody, india-compliance for those who
 * have the token.
 */
export async function serveGitApps(engine: Engine, token: string): Promise<GitApps> {
  const folder = await mkdtemp(path.join(tmpdir(), "drybag-git-"));
  const standin = path.join(FIXTURES, "erp/images/frappe-home/frappe-bench/apps/frappe");

  const frappe = await openRepository(folder, "frappe");
  await cp(standin, frappe.directory, { recursive: true });
  await frappe.commit({
    ...appFiles("frappe", "16.32.3"),
    "release.json": `${JSON.stringify({ version: "16.32.3", broken: null })}\n`,
  });
  await frappe.git("tag", "-a", "-m", "release", "v16.32.3");
  await frappe.publish();

  const erpnext = await openRepository(folder, "erpnext");
  await erpnext.commit(appFiles("erpnext", "16.32.3"));
  await erpnext.git("tag", "v16.32.3");
  await erpnext.publish();

  const india = await openRepository(folder, "private/india-compliance");
  await india.commit(appFiles("india_compliance", "16.0.1"));
  await india.git("tag", "v16.0.1");
  await india.commit(appFiles("india_compliance", "16.0.2"));
  await india.git("tag", "v16.0.2");
  const indiaUntagged = await india.commit({ "india_compliance/fix.py": "FIX = 1\n" });
  const indiaMain = await india.commit({ "india_compliance/fix.py": "FIX = 2\n" });
  await india.git("branch", "v15-line");
  await india.publish();

  const server = execa(
    ...programOf(engine, [
      ...[process.execPath, path.join(import.meta.dirname, "../support/git-server/serve.ts")],
      ...[folder, "0.0.0.0", String(PORT)],
    ]),
    // Not on its command line: those are looked at.
    { stdin: "ignore", reject: false, env: { GIT_SERVER_PASSWORD: token } },
  );
  await new Promise<void>((resolve, reject) => {
    server.stdout.once("data", () => resolve());
    server.then((result) => reject(new Error(`the git server ended: ${result.stderr}`)));
  });
  return {
    address: `http://${HOST}:${PORT}`,
    privateAddress: `http://oauth2:\${GIT_TOKEN}@${HOST}:${PORT}/private`,
    folder,
    commits: { indiaMain, indiaUntagged },
    async [Symbol.asyncDispose]() {
      server.kill();
      await server;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function programOf(engine: Engine, argv: readonly string[]): [string, string[]] {
  const [file, ...args] = engine.argv(argv);
  return [file, args];
}

const AUTHOR = {
  GIT_AUTHOR_NAME: "t",
  GIT_AUTHOR_EMAIL: "t@example",
  GIT_COMMITTER_NAME: "t",
  GIT_COMMITTER_EMAIL: "t@example",
};

async function openRepository(folder: string, name: string) {
  const bare = path.join(folder, `${name}.git`);
  const directory = await mkdtemp(path.join(tmpdir(), "drybag-app-"));
  const git = async (...args: string[]) =>
    (await execa("git", args, { cwd: directory, env: AUTHOR })).stdout as string;
  await git("init", "--quiet", "--initial-branch=version-16");
  return {
    directory,
    git,
    async commit(files: Record<string, string>): Promise<string> {
      for (const [file, content] of Object.entries(files)) {
        await mkdir(path.dirname(path.join(directory, file)), { recursive: true });
        await writeFile(path.join(directory, file), content);
      }
      await git("add", "--all");
      await git("commit", "--quiet", "--message", "change");
      return git("rev-parse", "HEAD");
    },
    async publish() {
      await execa("git", ["clone", "--quiet", "--bare", directory, bare]);
      await execa("git", ["config", "uploadpack.allowFilter", "true"], { cwd: bare });
      await rm(directory, { recursive: true, force: true });
    },
  };
}
