import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { DrybagError } from "@drybag/errors";
import type { Task } from "@drybag/format";
import { ask, nearestName, type RunContext, table } from "@drybag/terminal";
import { refuseUnfinishedRestore } from "../backup/unfinished-restore.ts";
import { siteDocker } from "../docker-environment.ts";
import { describeTask } from "../install/settle-release.ts";
import { releaseFlags } from "../release/release-flags.ts";
import { parseEnvLines } from "../settings/env-lines.ts";
import { type InstalledStack, installedStacks, theInstalledStack } from "../site/installed-stacks.ts";
import { lockSite } from "../site/site-lock.ts";
import { endLeftoverTasks } from "../tasks/end-leftover-tasks.ts";
import { taskWithPrerequisites } from "../tasks/plan-tasks.ts";
import { looksSecret, runTask, type TaskResult } from "../tasks/run-task.ts";
import { readSiteValues } from "../tasks/site-values.ts";
import { readMarks } from "../tasks/task-marks.ts";
import { refuseUnfinishedUpgrade } from "../upgrade/unfinished-upgrade.ts";
import { optionalStackName, type SiteFlags } from "./site-flags.ts";

export interface RunFlags extends SiteFlags {
  name?: string;
  values?: string;
  again?: boolean;
}

/** Runs one task of the release that runs, after those that come before it. */
export async function runCommand(
  context: RunContext,
  flags: RunFlags,
  taskName: string,
  assignments: string[] = [],
): Promise<void> {
  const stack = await theInstalledStack(resolve(context.cwd, flags.dir), optionalStackName(flags.name));
  const tasks = taskWithPrerequisites(stack.current.manifest.tasks ?? [], taskName);
  if (tasks.length === 0) throw unknownTask(stack, taskName);
  const given = await readArguments(context, flags, tasks, assignments);
  const { results, release } = await runAll(context, flags, stack, tasks, given);
  if (context.json) {
    context.stdout.write(`${JSON.stringify({ name: stack.name, release, tasks: results })}\n`);
    return;
  }
  const lines = results.map((result) => `${result.name}: ${describeTask(result)}`);
  context.stderr.write(`${lines.join("\n")}\n`);
}

async function runAll(
  { env, json, stdout, stderr, signal }: RunContext,
  { again = false }: RunFlags,
  { name: projectName, paths, current }: InstalledStack,
  tasks: readonly Task[],
  given: ReadonlyMap<string, string>,
): Promise<{ results: TaskResult[]; release: string }> {
  const { manifest, folder, name: release } = current;
  const docker = siteDocker(env, dirname(paths.root));
  await using _lock = await lockSite(paths.lock);
  await refuseUnfinishedRestore(paths, projectName);
  await refuseUnfinishedUpgrade(paths, projectName);
  await endLeftoverTasks(docker, projectName, paths.journal);
  const flags = releaseFlags(manifest, folder, projectName);
  const values = await readSiteValues(docker, manifest, flags, signal);
  const around = { docker, flags, projectName, paths, release, releaseFolder: folder, values, signal };
  const results: TaskResult[] = [];
  for (const task of tasks) {
    // Where there are several, whose output it is that follows.
    if (tasks.length > 1 && !json) stderr.write(`${task.name}:\n`);
    const onLine = (line: string) => void (json || stdout.write(`${line}\n`));
    results.push(await runTask(task, around, { given, again, onLine }));
  }
  return { results, release };
}

function unknownTask({ name, current }: InstalledStack, task: string): DrybagError {
  const names = (current.manifest.tasks ?? []).map((each) => each.name);
  const nearest = nearestName(task, names);
  return new DrybagError("task-not-found", `${name} has no task ${task}.`, {
    hint:
      nearest !== undefined
        ? `Did you mean ${nearest}?`
        : names.length > 0
          ? `It has: ${names.join(", ")}.`
          : "Its bundle declares no tasks at all.",
  });
}

/** All arguments must have a value; a person is asked for those that have none. Throws `usage`. */
async function readArguments(
  { cwd, canAsk, stdin, stderr, signal }: RunContext,
  { values }: RunFlags,
  tasks: readonly Task[],
  assignments: readonly string[],
): Promise<Map<string, string>> {
  const wanted = [...new Set(tasks.flatMap((task) => task.arguments ?? []))];
  const fromFile = values === undefined ? [] : await readValues(resolve(cwd, values));
  const given = new Map([...fromFile, ...assignments.map(parseArgument)]);
  for (const name of given.keys()) {
    if (wanted.includes(name)) continue;
    const hint = wanted.length === 0 ? "it takes none" : `it takes ${wanted.join(", ")}`;
    throw new DrybagError("usage", `the task has no argument ${name}`, { hint });
  }
  for (const name of wanted.filter((each) => !given.has(each))) {
    if (!canAsk) {
      const hint = `add ${name}=..., or --values FILE with a line ${name}="..."`;
      throw new DrybagError("usage", `the task needs a value for ${name}`, { hint });
    }
    given.set(name, await ask(`${name}: `, { stdin, stderr, signal }, looksSecret(name)));
  }
  return given;
}

function parseArgument(text: string): [string, string] {
  const match = /^([A-Za-z_][A-Za-z0-9_]*)=([\s\S]*)$/.exec(text);
  if (match?.[1] !== undefined && match[2] !== undefined) return [match[1], match[2]];
  throw new DrybagError("usage", `an argument of a task is NAME=value, not '${text.split("=")[0]}'`, {
    hint: "'drybag-site tasks' shows the arguments of each",
  });
}

async function readValues(path: string): Promise<Map<string, string>> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new DrybagError("file-unreadable", `${path} cannot be read (${error.code}).`, {
      hint: 'Name a file with lines of the form NAME="value" with --values.',
    });
  });
  return parseEnvLines(text, path);
}

/** What can be run, and when it runs by itself. */
export async function tasksCommand(context: RunContext, flags: SiteFlags, name?: string): Promise<void> {
  const stacks = await Promise.all(
    (await installedStacks(resolve(context.cwd, flags.dir), optionalStackName(name))).map(
      async ({ name: stack, paths, current }) => {
        const { once } = await readMarks(paths.marks);
        const tasks = (current.manifest.tasks ?? []).map((task) => ({
          name: task.name,
          description: task.description ?? null,
          when: task.when,
          service: task.service,
          arguments: task.arguments ?? [],
          doneAt: once[task.name] ?? null,
        }));
        return { name: stack, tasks };
      },
    ),
  );
  if (context.json) {
    context.stdout.write(`${JSON.stringify({ stacks })}\n`);
    return;
  }
  const width = context.stdout.columns;
  const texts = stacks.map(({ name: stack, tasks }) => {
    const rows = tasks.map((task) => [
      [task.name, ...task.arguments.map((each) => `${each}=...`)].join(" "),
      task.when.join(", "),
      `${task.description ?? ""}${task.doneAt === null ? "" : ` (done ${task.doneAt.slice(0, 10)})`}`.trim(),
    ]);
    return tasks.length === 0
      ? `${stack} has no tasks.\n`
      : `${stack}\n${table([["TASK", "RUNS AT", ""], ...rows], { width })}\n`;
  });
  context.stdout.write(texts.join("\n"));
}
