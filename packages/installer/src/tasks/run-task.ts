import { randomUUID } from "node:crypto";
import {
  type CommandInContainer,
  type ComposeFlags,
  type DockerContext,
  execInContainer,
  killInContainer,
  listProjectContainers,
  removeContainer,
  runInService,
} from "@drybag/docker";
import { DrybagError } from "@drybag/errors";
import type { Task } from "@drybag/format";
import { formatDuration } from "@drybag/terminal";
import { diagnose } from "../health/diagnose.ts";
import { appendToJournal } from "../site/journal.ts";
import type { SitePaths } from "../site/site-paths.ts";
import { createRedactor } from "./redact.ts";
import type { SiteValues } from "./site-values.ts";
import { TaskLog } from "./task-log.ts";
import { readMarks, writeMarks } from "./task-marks.ts";

/** Where tasks run. */
export interface TaskSurroundings {
  docker: DockerContext;
  flags: ComposeFlags;
  projectName: string;
  paths: SitePaths;
  release: string;
  releaseFolder: string;
  values: SiteValues;
  signal: AbortSignal;
}

export interface TaskOptions {
  /** Values of its arguments. */
  given?: ReadonlyMap<string, string>;
  /** Also where it has run once. */
  again?: boolean;
  /** Each line that it writes, without secrets. */
  onLine?(line: string): void;
}

export interface TaskResult {
  name: string;
  /** `done-before`: it runs once. `not-needed`: its `unless` says so. */
  outcome: "done" | "done-before" | "not-needed";
  durationMs: number;
  /** File with what it wrote; null where it was not run. */
  log: string | null;
}

/** Variable that marks the processes of a task. */
export const TASK_MARK = "DRYBAG_TASK";
/** How long it may take to end a task that is not wanted any more, in milliseconds. */
const END_TIMEOUT_MS = 20_000;
/** Whether the value of an argument is to be hidden. */
export function looksSecret(name: string): boolean {
  return /PASS|PWD|SECRET|TOKEN|KEY|CREDENTIAL/i.test(name);
}

/** Runs one task in its service, unless there is nothing to do. Throws `task-failed`, with the last lines that it wrote. */
export async function runTask(
  task: Task,
  surroundings: TaskSurroundings,
  options: TaskOptions = {},
): Promise<TaskResult> {
  const { paths, release, releaseFolder, values } = surroundings;
  const startedMs = performance.now();
  const result = (outcome: TaskResult["outcome"], log: string | null): TaskResult => ({
    name: task.name,
    outcome,
    durationMs: Math.round(performance.now() - startedMs),
    log,
  });
  const marks = await readMarks(paths.marks);
  if (task.once && marks.once[task.name] !== undefined && !options.again) return result("done-before", null);

  const given = options.given ?? new Map<string, string>();
  const hidden = [...given].filter(([name]) => looksSecret(name)).map(([, value]) => value);
  const redact = createRedactor([...values.secrets, ...hidden]);
  const run = { task, given, redact };
  if (task.unless !== undefined && (await runCommand(run, task.unless, surroundings, () => undefined)) === 0)
    return result("not-needed", null);

  const log = await TaskLog.open(releaseFolder, task.name);
  try {
    const exitCode = await runCommand(run, task.command, surroundings, (line) => {
      log.line(line);
      options.onLine?.(line);
    });
    if (exitCode !== 0) throw taskFailed(task, `ended with exit code ${exitCode}`, log);
  } catch (error) {
    const failure = error instanceof TimeOver ? taskFailed(task, error.message, log) : error;
    const message = failure instanceof Error ? failure.message : String(failure);
    await appendToJournal(paths.journal, { step: "task-failed", task: task.name, release, message });
    throw failure;
  } finally {
    await log.close();
  }
  if (task.once) {
    const now = await readMarks(paths.marks);
    const once = { ...now.once, [task.name]: new Date().toISOString() };
    await writeMarks(paths.marks, { ...now, once });
  }
  await appendToJournal(paths.journal, { step: "task-done", task: task.name, release });
  return result("done", log.path);
}

class TimeOver extends Error {}

interface Run {
  task: Task;
  given: ReadonlyMap<string, string>;
  redact(text: string): string;
}

/** Runs a command where its task runs. Returns the exit code; whatever ends it early, its process ends as well. */
async function runCommand(
  { task, given, redact }: Run,
  argv: readonly string[],
  surroundings: TaskSurroundings,
  onLine: (line: string) => void,
): Promise<number> {
  const { docker, flags, projectName, paths, release, values, signal } = surroundings;
  const id = randomUUID();
  const secrets = [
    ...task.settings.map((name) => [name, values.settings.get(name) ?? ""] as const),
    ...(task.arguments ?? []).map((name) => [name, given.get(name) ?? ""] as const),
  ];
  const command: CommandInContainer = {
    command: argv,
    user: task.user,
    workingDirectory: task.workingDirectory,
    environment: { ...task.environment, [TASK_MARK]: id },
    secrets: Object.fromEntries(secrets),
  };
  const limit = AbortSignal.timeout(task.timeoutSeconds * 1000);
  const both = { signal: AbortSignal.any([signal, limit]), onLine: (line: string) => onLine(redact(line)) };
  const started = { step: "task-started", task: task.name, release, id } as const;
  let end: () => Promise<void> = async () => undefined;
  try {
    if (task.mode === "run") {
      const containerName = `${projectName}-task-${task.name}-${id.slice(0, 8)}`;
      end = () => removeContainer(docker, containerName, { timeoutMs: END_TIMEOUT_MS });
      await appendToJournal(paths.journal, { ...started, container: containerName, pid: null });
      return await runInService(docker, flags, { service: task.service, containerName }, command, both);
    }
    const container = await runningContainer(task, surroundings);
    const recorded: Promise<void>[] = [];
    const onStarted = (pid: number) => {
      end = () =>
        killInContainer(
          docker,
          container,
          { pid, mark: `${TASK_MARK}=${id}` },
          { timeoutMs: END_TIMEOUT_MS },
        );
      recorded.push(appendToJournal(paths.journal, { ...started, container, pid }));
    };
    const exitCode = await execInContainer(docker, container, command, { ...both, onStarted });
    await Promise.all(recorded);
    return exitCode;
  } catch (error) {
    await end().catch(() => undefined);
    signal.throwIfAborted();
    if (limit.aborted)
      throw new TimeOver(`did not end within ${formatDuration(task.timeoutSeconds * 1000)} and was ended`);
    throw error;
  }
}

async function runningContainer(task: Task, surroundings: TaskSurroundings): Promise<string> {
  const { docker, projectName, signal } = surroundings;
  const containers = await listProjectContainers(docker, projectName, { signal });
  const found = containers.find(({ service, state }) => service === task.service && state === "running");
  if (found) return found.id;
  throw new DrybagError(
    "task-failed",
    `The task ${task.name} needs the service ${task.service}, which does not run.`,
    {
      hint: "'drybag-site status' shows the services. Install again to start the stack.",
    },
  );
}

function taskFailed(task: Task, why: string, log: TaskLog): DrybagError {
  const said = log.lastLines.map((line) => `  | ${line}`);
  const likely = diagnose(log.lastLines.join("\n"));
  return new DrybagError("task-failed", `The task ${task.name} ${why}.`, {
    detail: [
      ...said,
      ...(likely ? [`  likely: ${likely.cause}`, `  ${likely.remedy}`] : []),
      `All that it wrote: ${log.path}`,
    ].join("\n"),
  });
}
