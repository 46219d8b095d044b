import path from "node:path";
import type { Engine } from "@drybag/lab";
import { execa } from "execa";
import { DRYBAG } from "./paths.ts";
import { watchPeakMemory } from "./peak-memory.ts";

export interface ProgramRun {
  exitCode: number | undefined;
  stdout: string;
  stderr: string;
  /** Highest resident memory by program name, in bytes. */
  peakBytes: Map<string, number>;
}

export interface RunSettings {
  cwd: string;
  env?: Record<string, string>;
  /** As root, but permissions of files count: root reads everything otherwise. */
  obeysPermissions?: boolean;
  /** In the engine's network namespace, where servers of a test can be reached by builds too. */
  inside?: boolean;
  /** Called with the process once it runs, e.g. to interrupt it. */
  onStart?: (pid: number) => void;
}

/** Runs the built `drybag` against an engine. */
export function runDrybag(
  engine: Engine,
  args: readonly string[],
  settings: RunSettings,
): Promise<ProgramRun> {
  const argv = [process.execPath, "--", DRYBAG, ...args];
  return runWatched(settings.inside ? engine.argv(argv) : argv, {
    ...settings,
    env: { ...engine.env, ...settings.env },
  });
}

/** Runs `sh install.sh` of a carry folder in the site's namespace, as a technician does. */
export function runInstallScript(
  site: Engine,
  carryFolder: string,
  args: readonly string[],
  settings: RunSettings,
): Promise<ProgramRun> {
  const argv = site.argv(["sh", path.join(carryFolder, "install.sh"), ...args]);
  return runWatched(argv, { ...settings, env: { ...site.env, ...settings.env } });
}

/** setpriv(1): a program that root starts gets no capability outside the bounding set. */
const WITHOUT_OVERRIDE = [
  "setpriv",
  "--bounding-set=-dac_override,-dac_read_search",
  "--inh-caps=-dac_override,-dac_read_search",
];

async function runWatched(
  argv: readonly string[],
  { cwd, env, obeysPermissions, onStart }: RunSettings & { env: Record<string, string> },
): Promise<ProgramRun> {
  const [file, ...args] = obeysPermissions ? [...WITHOUT_OVERRIDE, ...argv] : argv;
  const child = execa(file as string, args, {
    cwd,
    env,
    reject: false,
    stdin: "ignore",
  });
  const pid = child.pid as number;
  const memory = watchPeakMemory(pid);
  onStart?.(pid);
  const { exitCode, stdout, stderr } = await child;
  return { exitCode, stdout, stderr, peakBytes: memory.stop() };
}

/** Asks a web server inside the engine's namespace. */
export async function httpGet(
  engine: Engine,
  url: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: string }> {
  const script = `
    const [url, headers] = process.argv.slice(1);
    require("node:http").get(url, { headers: JSON.parse(headers) }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text) => { body += text; });
      response.on("end", () => console.log(JSON.stringify({ status: response.statusCode, body })));
    });`;
  const { stdout } = await engine.exec([process.execPath, "-e", script, url, JSON.stringify(headers)]);
  return JSON.parse(stdout as unknown as string) as { status: number; body: string };
}
