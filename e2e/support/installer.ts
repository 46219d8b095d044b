import { cp, mkdir, open, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { setImmediate } from "node:timers/promises";
import type { Engine } from "@drybag/lab";
import { execa } from "execa";
import { processTree } from "./peak-memory.ts";
import { type RunSettings, runDrybag } from "./run-programs.ts";

/** The built installer, as a program that Node runs: the same code as in the executables. */
export const DRYBAG_SITE = path.resolve(import.meta.dirname, "../../packages/installer/dist/drybag-site.cjs");

/**
 * Starts the installer in a site's namespace, in a process group of its own, as in a terminal of its own. `user` is a command in front
 * that takes rights away.
 */
export function startInstaller(
  site: Engine,
  args: readonly string[],
  env: Record<string, string> = {},
  user: readonly string[] = [],
) {
  const [file, ...argv] = site.argv([...user, process.execPath, DRYBAG_SITE, ...args]);
  return execa(file, argv, {
    env: { ...site.env, ...env },
    cwd: "/",
    reject: false,
    stdin: "ignore",
    detached: true,
  });
}

export type InstallerProcess = ReturnType<typeof startInstaller>;

/** For `env` of an installer whose `docker image load` is to stop before it takes anything. */
export function holdingLoads(site: Engine): Record<string, string> {
  return { PATH: `${path.join(import.meta.dirname, "holding")}:${site.env.PATH}` };
}

/**
 * Resolves when the `docker image load` of an installer that was started with `holdingLoads` stands still: the installer then waits in the
 * middle of a layer that is larger than the buffers between them. Gives the client's process number, for `letGo`.
 */
export async function untilLoadHeld(run: InstallerProcess): Promise<number> {
  const isHeld = async (pid: number) => {
    const read = (name: string) => readFile(`/proc/${pid}/${name}`, "utf8").catch(() => "");
    return (await read("cmdline")).includes("image\0load") && /\) T /.test(await read("stat"));
  };
  let hasEnded = false;
  void run.then(() => {
    hasEnded = true;
  });
  while (!hasEnded) {
    for (const pid of processTree(run.pid as number)) if (await isHeld(pid)) return pid;
    await setImmediate();
  }
  throw new Error(`the installer ended before it loaded anything: ${(await run).stderr}`);
}

/** Lets a held client go on, unless the installer has given it up already. */
export function letGo(client: number): void {
  try {
    process.kill(client, "SIGCONT");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Resolves once a program that runs with --json has written this on its progress. */
export function untilWritten(run: InstallerProcess, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let seen = "";
    run.stderr.on("data", (chunk: Buffer) => {
      seen += chunk.toString();
      if (seen.includes(text)) resolve();
    });
    run.then(() => reject(new Error(`the program ended before it wrote '${text}': ${seen}`)), reject);
  });
}

/** Resolves once a program that runs with --json has shown its services for the first time. */
export function untilServices(run: InstallerProcess): Promise<void> {
  return untilWritten(run, '"type":"services"');
}

/** `kill -9` of the program alone; resolves when it is gone. */
export async function kill(run: InstallerProcess): Promise<void> {
  process.kill(run.pid as number, "SIGKILL");
  await run;
}

/** Ctrl-C, as the terminal gives it to the whole group. Returns how long the program took to stop, in milliseconds. */
export async function interrupt(run: InstallerProcess): Promise<number> {
  const startedMs = performance.now();
  process.kill(-(run.pid as number), "SIGINT");
  const { exitCode, stderr } = await run;
  if (exitCode !== 130) throw new Error(`exit code ${exitCode}\n${stderr}`);
  return performance.now() - startedMs;
}

/** Every image of an engine with its tags, nameless ones too. */
export async function imagesOf(engine: Engine): Promise<string[]> {
  const { stdout } = await engine.docker([
    ...["image", "ls", "--all", "--no-trunc"],
    ...["--format", "{{.Repository}}:{{.Tag}} {{.ID}}"],
  ]);
  return String(stdout).split("\n").filter(Boolean).sort();
}

/** Containers of a project with what changes when one is made or started anew. */
export async function containersOf(engine: Engine, project: string): Promise<string[]> {
  const { stdout } = await engine.docker([
    "ps",
    "-aq",
    "--filter",
    `label=com.docker.compose.project=${project}`,
  ]);
  const ids = String(stdout).split("\n").filter(Boolean);
  if (ids.length === 0) return [];
  const format = "{{.Name}} {{.Id}} {{.State.StartedAt}}";
  const inspected = await engine.docker(["inspect", "--format", format, ...ids]);
  return String(inspected.stdout).split("\n").sort();
}

/** Packs a project that is given as files. Returns the carry folder. */
export async function packProject(
  engine: Engine,
  folder: string,
  files: Record<string, string>,
  args: readonly string[] = [],
): Promise<string> {
  await mkdir(folder, { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), content);
  }
  const settings: RunSettings = {
    cwd: folder,
    env: { XDG_CACHE_HOME: path.join(path.dirname(folder), "cache") },
  };
  const run = await runDrybag(engine, ["pack", "--json", "-o", `${folder}-out`, ...args], settings);
  if (run.exitCode !== 0) throw new Error(run.stderr);
  return (JSON.parse(run.stdout) as { directory: string }).directory;
}

/** A copy of a carry folder with one bit flipped in the middle of an entry. */
export async function damagedCopy(carryFolder: string, entry: string, copy: string): Promise<string> {
  await cp(carryFolder, copy, { recursive: true });
  const tar = path.join(copy, (await readdir(copy)).find((name) => name.endsWith(".tar")) as string);
  const content = await readFile(tar);
  const header = content.indexOf(Buffer.from(`${entry}\0`));
  const size = Number.parseInt(content.toString("latin1", header + 124, header + 135), 8);
  const position = header + 512 + Math.floor(size / 2);
  await using file = await open(tar, "r+");
  await file.write(Buffer.from([(content[position] as number) ^ 1]), 0, 1, position);
  return copy;
}
