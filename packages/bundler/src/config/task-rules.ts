import { canBeGivenToTasks } from "@drybag/format";
import type { ConfigDocument, Mistake, ValuePath } from "./config-document.ts";
import type { ConfigFile } from "./config-schema.ts";
import { nameOf } from "./find-mistakes.ts";
import type { CheckInFile, TaskInFile } from "./task-schema.ts";

const LONGEST_TIMEOUT_SECONDS = 604_800;

/** What is wrong with tasks and checks although their form is right, as far as drybag.yaml alone shows it. */
export function checkTaskRules(document: ConfigDocument, config: ConfigFile): Mistake[] {
  const mistakes: Mistake[] = [];
  const refuse = (path: ValuePath, message: string) =>
    mistakes.push({ position: document.positionOf(path), message: `${nameOf(path)} ${message}` });
  for (const [name, task] of Object.entries(config.tasks ?? {})) {
    for (const { key, message } of taskProblems(task)) refuse(["tasks", name, ...key], message);
    refuseLong(document, ["tasks", name, "timeout"], refuse);
  }
  for (const [name, check] of Object.entries(config.checks ?? {})) {
    for (const { key, message } of checkProblems(check)) refuse(["checks", name, ...key], message);
    refuseLong(document, ["checks", name, "timeout"], refuse);
  }
  return mistakes;
}

interface Problem {
  key: ValuePath;
  message: string;
}

function taskProblems(task: TaskInFile): Problem[] {
  const problems: Problem[] = [];
  if (Array.isArray(task.command) && task.command[0] === "")
    problems.push({ key: ["command", 0], message: "must be a program" });
  const given = new Set(Object.keys(task.environment ?? {}));
  for (const key of ["settings", "arguments"] as const) {
    for (const [index, name] of (task[key] ?? []).entries()) {
      if (!canBeGivenToTasks(name))
        problems.push({ key: [key, index], message: `'${name}' steers Docker itself; call it otherwise` });
      if (given.has(name)) problems.push({ key: [key, index], message: `'${name}' is given twice` });
      given.add(name);
    }
  }
  const times = [task.when ?? "on-demand"].flat().filter((time) => time !== "on-demand");
  if ((task.arguments ?? []).length > 0 && times.length > 0)
    problems.push({
      key: ["arguments"],
      message: `cannot be there: nobody gives them at ${times.join(", ")}`,
    });
  return problems;
}

const KINDS = ["http", "tcp", "exec", "log"] as const;

function checkProblems(check: CheckInFile): Problem[] {
  const kinds = KINDS.filter((kind) => check[kind] !== undefined);
  if (kinds.length === 0) return [{ key: [], message: `must have one of ${KINDS.join(", ")}` }];
  if (kinds.length > 1) return [{ key: [], message: `has ${kinds.join(" and ")}; a check has one of them` }];
  const patterns: [ValuePath, string | undefined][] = [
    [["http", "body"], check.http?.body],
    [["log", "pattern"], check.log?.pattern],
  ];
  return patterns
    .filter(([, pattern]) => pattern !== undefined && !isPattern(pattern))
    .map(([key]) => ({ key, message: "is not a regular expression" }));
}

function refuseLong(
  document: ConfigDocument,
  path: ValuePath,
  refuse: (path: ValuePath, message: string) => void,
) {
  const match = /^([0-9]+)([smh]?)$/.exec(document.textOf(path) ?? "");
  const seconds = Number(match?.[1] ?? 0) * ({ m: 60, h: 3600 }[match?.[2] ?? ""] ?? 1);
  if (seconds > LONGEST_TIMEOUT_SECONDS) refuse(path, "is more than a week");
}

function isPattern(pattern: string): boolean {
  try {
    new RegExp(pattern, "u");
    return true;
  } catch {
    return false;
  }
}
