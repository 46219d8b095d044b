import { createWriteStream } from "node:fs";
import { mkdir, readdir, rm } from "node:fs/promises";
import path from "node:path";
import { finished } from "node:stream/promises";
import { BuildLog, type DockerContext, runBuildClient } from "@drybag/docker";
import { DrybagError } from "@drybag/errors";
import type { StageReport } from "@drybag/terminal";
import type { Redact } from "../git/redact.ts";
import { diagnoseBuild } from "./diagnose-build.ts";

export interface BuildRun {
  /** What is built, for messages. */
  name: string;
  /** Arguments of `docker`. */
  args: readonly string[];
  /** Values that are on no command line: secrets, arguments that hold some. */
  env: Record<string, string>;
  cwd?: string;
  redact: Redact;
  logFile: string;
}

/** Runs a client that builds: shows its steps, keeps its log, and explains its failure. Throws `build-failed`. */
export async function runBuild(
  docker: DockerContext,
  run: BuildRun,
  report: StageReport,
  signal: AbortSignal,
): Promise<BuildLog> {
  const log = new BuildLog();
  await mkdir(path.dirname(run.logFile), { recursive: true, mode: 0o700 });
  const file = createWriteStream(run.logFile, { mode: 0o600 });
  const written = finished(file);
  written.catch(() => undefined);
  let exitCode: number;
  try {
    const onLine = (line: string) => {
      const clean = run.redact(line);
      file.write(`${clean}\n`);
      const happening = log.add(clean);
      if (happening?.startsWith("[")) report.message(happening);
    };
    const { env, cwd } = run;
    exitCode = await runBuildClient(docker, run.args, onLine, { signal, env, cwd });
  } finally {
    file.end();
    await written.catch(() => undefined);
  }
  if (exitCode !== 0) throw buildFailed(run, log);
  return log;
}

const SHOWN_LINES = 15;

function buildFailed({ name, logFile }: BuildRun, log: BuildLog): DrybagError {
  const { step, problem, output } = log.failure;
  const diagnosis = diagnoseBuild([...output, problem].join("\n"));
  const shown = output.slice(-SHOWN_LINES);
  const detail = [
    ...(step === undefined ? [] : [`step: ${step}`]),
    ...shown.map((line) => `  ${line}`),
    ...(problem === "" || shown.some((line) => line.includes(problem)) ? [] : [problem]),
  ];
  const cause = diagnosis === undefined ? "" : ` ${diagnosis.cause}`;
  return new DrybagError("build-failed", `Building ${name} failed.${cause}`, {
    detail: detail.join("\n"),
    hint: `${diagnosis === undefined ? "Mend what the step says." : diagnosis.remedy}\nThe whole log: ${logFile}`,
  });
}

/** Logs of one stack that are kept. */
const KEPT_LOGS = 30;

/** Removes all but the newest logs; their names begin with their time. */
export async function pruneLogs(directory: string): Promise<void> {
  const names = (await readdir(directory).catch(() => [])).filter((name) => name.endsWith(".log")).sort();
  for (const name of names.slice(0, -KEPT_LOGS)) await rm(path.join(directory, name), { force: true });
}
