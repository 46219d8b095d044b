import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { buildFixture } from "@drybag/fixtures";
import { type Engine, type Lab, type LabOptions, labUp, readLabEnvironment } from "@drybag/lab";
import { execa } from "execa";
import { packProject, startInstaller } from "./installer.ts";

/** What an installer's command gives with --json. */
export type Outcome<Result> = Result & {
  exitCode: number | undefined;
  stdout: string;
  stderr: string;
  error?: { code: string; message: string; hint?: string; detail?: string };
};

/** Both sides of an air gap, the images of the fixture `hello`, and a folder for what is packed and installed. Disposing of it ends all. */
export class Gap implements AsyncDisposable {
  readonly lab: Lab;
  readonly work: string;

  constructor(lab: Lab, work: string) {
    this.lab = lab;
    this.work = work;
  }

  /** Opens one, of the class that this is called on. */
  static async open<T extends Gap>(
    this: new (
      lab: Lab,
      work: string,
    ) => T,
    name: string,
    options: Pick<LabOptions, "connected" | "site" | "sites"> = {},
  ): Promise<T> {
    const lab = await labUp({ name, environment: readLabEnvironment(process.env), ...options });
    await buildFixture("hello", { engineEnv: lab.connected.env });
    return new this(lab, await mkdtemp(path.join(tmpdir(), `drybag-${name}-`)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.work, { recursive: true, force: true });
    await this.lab[Symbol.asyncDispose]();
  }

  get connected(): Engine {
    return this.lab.connected;
  }

  get site(): Engine {
    return this.lab.site;
  }

  /** A further site engine. */
  siteNamed(name: string): Engine {
    const engine = this.lab.sites[name];
    if (engine === undefined) throw new Error(`there is no site ${name}`);
    return engine;
  }

  /** Where the stacks are on the site. */
  get dir(): string {
    return path.join(this.work, "opt");
  }

  /** Makes an SSH key to sign with. Gives its file; the public one is beside it. */
  async makeKey(name: string): Promise<string> {
    const file = path.join(this.work, name);
    await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", file]);
    return file;
  }

  /** Builds an image on the connected engine. */
  async build(tag: string, dockerfile: string, args: readonly string[] = []): Promise<void> {
    await this.connected.docker(["build", "--quiet", "--tag", tag, ...args, "-"], { input: dockerfile });
  }

  /** Builds an image that has its version in /version. */
  async buildVersion(tag: string, version: string): Promise<void> {
    await this.build(tag, `FROM drybag/hello-task:1.0.0\nRUN echo ${version} >/version\n`);
  }

  /** Packs a project that is given as files; names that end with a slash are folders. Returns the carry folder. */
  async pack(name: string, version: string, files: Record<string, string>, args: readonly string[] = []) {
    const folder = path.join(this.work, name);
    for (const file of Object.keys(files))
      if (file.endsWith("/")) await mkdir(path.join(folder, file), { recursive: true });
    const contents = Object.fromEntries(Object.entries(files).filter(([file]) => !file.endsWith("/")));
    return packProject(this.connected, folder, contents, ["--bundle-version", version, ...args]);
  }

  /** Runs a command of the installer to its end. */
  async drybagSite<Result = object>(
    args: readonly string[],
    { engine = this.site, dir = this.dir, env = {} } = {},
  ): Promise<Outcome<Result>> {
    const [command = "", ...rest] = args;
    const { exitCode, stdout, stderr } = await startInstaller(
      engine,
      [command, "--json", "--dir", dir, ...rest],
      env,
    );
    return { exitCode, stdout, stderr, ...(JSON.parse(stdout) as Result) };
  }
}
