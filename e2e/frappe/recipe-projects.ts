import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { buildFixture } from "@drybag/fixtures";
import type { BuildProvenance } from "@drybag/format";
import { type Lab, labUp, readLabEnvironment } from "@drybag/lab";
import { execa } from "execa";
import { expect } from "vitest";
import { FIXTURES } from "../support/paths.ts";
import { runDrybag } from "../support/run-programs.ts";
import * as containerfiles from "./containerfiles.ts";
import { type GitApps, serveGitApps } from "./git-apps.ts";

export const TOKEN = "planted-t0ken-0f-drybags-tests";
/** As it stands in an HTTP header, and in base64 wherever it may begin. */
const FORMS = [
  TOKEN,
  Buffer.from(`oauth2:${TOKEN}`).toString("base64"),
  "cGxhbnRlZC10MGtlbi0wZi1kcnliYWdzLXRlc3",
];

export interface Built {
  images: { name: string; references: string[]; id: string; provenance: BuildProvenance; logFile: string }[];
  findings: { code: string }[];
  variables: Record<string, string>;
}

interface ProjectOptions {
  containerfile?: string;
  apps?: unknown;
  version?: string;
  more?: string;
}

/** Projects with the recipe frappe, beside a git server with the apps, of which one is private. */
export class RecipeProjects implements AsyncDisposable {
  readonly lab: Lab;
  readonly work: string;
  readonly apps: GitApps;

  private constructor(lab: Lab, work: string, apps: GitApps) {
    this.lab = lab;
    this.work = work;
    this.apps = apps;
  }

  static async open(name: string): Promise<RecipeProjects> {
    const environment = readLabEnvironment(process.env);
    const lab = await labUp({ name, environment, site: { imageStore: "classic" } });
    const apps = await serveGitApps(lab.connected, TOKEN);
    return new RecipeProjects(lab, await mkdtemp(path.join(tmpdir(), `drybag-${name}-`)), apps);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.apps[Symbol.asyncDispose]();
    await rm(this.work, { recursive: true, force: true });
    await this.lab[Symbol.asyncDispose]();
  }

  /** Builds what the Containerfiles stand on. */
  async buildBases(): Promise<void> {
    for (const fixture of ["erp", "bench"] as const)
      await buildFixture(fixture, { engineEnv: this.lab.connected.env });
  }

  get state(): string {
    return path.join(this.work, "state");
  }

  erpnext(branch = "v16.32.3") {
    return { url: `${this.apps.address}/erpnext`, branch };
  }

  india(pin: object = { branch: "v16.0.1" }) {
    return { url: `${this.apps.privateAddress}/india-compliance`, ...pin };
  }

  /** The erp fixture with the recipe, as a git work tree of its own. */
  async makeProject(name: string, options: ProjectOptions = {}): Promise<string> {
    const folder = path.join(this.work, name);
    await cp(path.join(FIXTURES, "erp"), folder, { recursive: true });
    const list = options.apps ?? [this.erpnext(), this.india()];
    await writeFile(
      path.join(folder, "apps.json"),
      typeof list === "string" ? list : JSON.stringify(list, null, 2),
    );
    await writeFile(path.join(folder, "Containerfile"), options.containerfile ?? containerfiles.SECRET_FORM);
    await writeFile(
      path.join(folder, "drybag.yaml"),
      `name: ${name}
project:
  files: [compose.yaml, overrides/compose.mariadb.yaml, overrides/compose.redis.yaml, overrides/compose.noproxy.yaml]
recipe: frappe
frappe:
  repo: ${this.apps.address}/frappe
  version: ${options.version ?? "v16.32.3"}
  apps: apps.json
  image: ${name}/erp
${options.more ?? ""}`,
    );
    await execa("git", ["init", "--quiet", "--initial-branch=main"], { cwd: folder });
    await this.commitAll(folder);
    return folder;
  }

  async commitAll(folder: string): Promise<void> {
    const author = ["-c", "user.name=t", "-c", "user.email=t@example"];
    await execa("git", ["add", "--all"], { cwd: folder });
    await execa("git", [...author, "commit", "--quiet", "--message", "change"], { cwd: folder });
  }

  drybag(folder: string, args: readonly string[], env: Record<string, string> = { GIT_TOKEN: TOKEN }) {
    return runDrybag(this.lab.connected, args, {
      cwd: folder,
      env: { XDG_STATE_HOME: this.state, XDG_CACHE_HOME: path.join(this.work, "cache"), ...env },
      inside: true,
    });
  }

  async build(folder: string, ...args: string[]): Promise<Built> {
    const run = await this.drybag(folder, ["build", "--json", ...args]);
    expect(run.exitCode, run.stderr + run.stdout).toBe(0);
    return JSON.parse(run.stdout) as Built;
  }

  async docker(...args: string[]): Promise<string> {
    return String((await this.lab.connected.docker(args)).stdout);
  }

  /** Nothing that a person could read of an image has the token, its layers unpacked. */
  async expectNoToken(reference: string): Promise<void> {
    const seen = [
      await this.docker("image", "inspect", reference),
      await this.docker("history", "--no-trunc", reference),
    ];
    expectClean(seen.join("\n"), `configuration and history of ${reference}`);
    const save = ["image", "save", reference];
    const archive = this.lab.connected.docker(save, { encoding: "buffer", buffer: false });
    let rest = "";
    for await (const chunk of archive.stdout as AsyncIterable<Buffer>) {
      const text = rest + chunk.toString("latin1");
      expectClean(text, `layers of ${reference}`);
      rest = text.slice(-200);
    }
    await archive;
  }
}

/** The image that the recipe made. */
export function frappeOf({ images }: Built): Built["images"][number] {
  const found = images.find(({ name }) => name === "frappe");
  if (found === undefined) throw new Error("no image of the recipe");
  return found;
}

export function expectClean(text: string, place: string): void {
  for (const form of FORMS) {
    if (text.includes(form)) throw new Error(`the token is in ${place}`);
  }
}

/** No file below a folder has the token. */
export async function expectNoTokenBelow(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    expectClean((await readFile(file)).toString("latin1"), file);
  }
}
