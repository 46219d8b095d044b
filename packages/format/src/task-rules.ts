import type { Manifest } from "./manifest.ts";
import type { Check, Task } from "./manifest-tasks.ts";

/** Variables that would steer the Docker client, which takes the values of a task's settings from its own environment. */
const STEERS_CLIENT = /^(?:COMPOSE|DOCKER|LD|SSH|XDG)_|^(?:PATH|HOME|GODEBUG)$/i;

/** Whether a task can be given a variable of this name. */
export function canBeGivenToTasks(variable: string): boolean {
  return !STEERS_CLIENT.test(variable);
}

/** What does not agree among tasks, checks and backup, or with the rest of the manifest. */
export function tasksProblem(manifest: Manifest): string | undefined {
  const { tasks = [], checks = [], backup, critical } = manifest;
  if (tasks.length > 0 && !critical.includes("tasks")) return `critical must name "tasks"`;
  const services = new Set(manifest.services.map(({ name }) => name));
  const settings = new Set(manifest.settings.map(({ name }) => name));
  const names = new Set(tasks.map(({ name }) => name));
  for (const task of tasks) {
    const problem = taskProblem(task, { services, settings, names });
    if (problem !== undefined) return `the task ${task.name} ${problem}`;
  }
  const cycle = taskCycle(tasks);
  if (cycle !== undefined) return `tasks wait for each other: ${cycle.join(" before ")}`;
  for (const check of checks) {
    const problem = checkProblem(check, { services, settings });
    if (problem !== undefined) return `the check ${check.name} ${problem}`;
  }
  if (backup?.dumpTask !== undefined && !names.has(backup.dumpTask))
    return `backup.dumpTask "${backup.dumpTask}" is not in tasks`;
  return undefined;
}

interface Known {
  services: ReadonlySet<string>;
  settings: ReadonlySet<string>;
}

function taskProblem(task: Task, known: Known & { names: ReadonlySet<string> }): string | undefined {
  if (!known.services.has(task.service)) return `needs the service ${task.service}, which is not in services`;
  const unknownTask = task.before?.find((name) => !known.names.has(name));
  if (unknownTask !== undefined) return `comes after ${unknownTask}, which is not in tasks`;
  const unknownSetting = task.settings.find((name) => !known.settings.has(name));
  if (unknownSetting !== undefined) return `needs the setting ${unknownSetting}, which is not in settings`;
  const shadowed = task.arguments?.find((name) => known.settings.has(name));
  if (shadowed !== undefined) return `has the argument ${shadowed}, which is a setting`;
  const given = [...task.settings, ...(task.arguments ?? [])];
  const steering = given.find((name) => !canBeGivenToTasks(name));
  if (steering !== undefined) return `cannot be given ${steering}, which steers Docker itself`;
  const seen = new Set(Object.keys(task.environment));
  for (const name of given) {
    if (seen.has(name)) return `is given ${name} twice`;
    seen.add(name);
  }
  return undefined;
}

function checkProblem(check: Check, known: Known): string | undefined {
  if (!known.services.has(check.service))
    return `needs the service ${check.service}, which is not in services`;
  const unknown = settingsOfCheck(check).find((name) => !known.settings.has(name));
  return unknown === undefined ? undefined : `needs the setting ${unknown}, which is not in settings`;
}

/** Names of the settings that a check refers to as `${NAME}`. */
export function settingsOfCheck(check: Check): string[] {
  if (check.kind !== "http") return [];
  const texts = [check.path, check.host ?? "", ...Object.values(check.headers ?? {})];
  return texts.flatMap((text) => [...text.matchAll(SETTING)].map(([, name = ""]) => name));
}

/** Replaces each `${NAME}` by the value of that setting; an unknown one has none. */
export function fillIn(text: string, settings: ReadonlyMap<string, string>): string {
  return text.replace(SETTING, (_, name: string) => settings.get(name) ?? "");
}

const SETTING = /\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g;

/** Names of tasks that each wait for the next, the first again at the end; undefined where there is no such ring. */
export function taskCycle(tasks: readonly Pick<Task, "name" | "before">[]): string[] | undefined {
  const before = new Map(tasks.map((task) => [task.name, task.before ?? []]));
  const done = new Set<string>();
  for (const { name } of tasks) {
    const cycle = done.has(name) ? undefined : cycleFrom(name, before, done);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

/** With a trail and not with calls within calls: thousands of tasks may wait for each other in a row. */
function cycleFrom(
  start: string,
  before: ReadonlyMap<string, readonly string[]>,
  done: Set<string>,
): string[] | undefined {
  const step = (name: string) => ({ name, rest: [...(before.get(name) ?? [])].reverse() });
  const trail = [step(start)];
  const onTrail = new Set([start]);
  for (let last = trail.at(-1); last !== undefined; last = trail.at(-1)) {
    const next = last.rest.pop();
    if (next === undefined) {
      trail.pop();
      onTrail.delete(last.name);
      done.add(last.name);
    } else if (onTrail.has(next)) {
      const names = trail.map(({ name }) => name);
      return [...names.slice(names.indexOf(next)), next];
    } else if (!done.has(next)) {
      trail.push(step(next));
      onTrail.add(next);
    }
  }
  return undefined;
}
