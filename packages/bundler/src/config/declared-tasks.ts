import { type BackupRules, type Check, type Task, toVisibleLine } from "@drybag/format";
import type { Position } from "../compose/compose-document.ts";
import type { ConfigDocument, ValuePath } from "./config-document.ts";
import type { ConfigFile } from "./config-schema.ts";
import type { CheckInFile, TaskInFile } from "./task-schema.ts";

/** Something that is declared under a name, and where each part of it is written. */
export interface Declared<T> {
  value: T;
  /** Where it comes from, for messages: `tasks.migrate`. */
  label: string;
  positionOf(...key: (string | number)[]): Position;
}

/** What the keys `tasks`, `checks` and `backup` declare. */
export interface DeclaredTasks {
  tasks: Declared<Task>[];
  checks: Declared<Check>[];
  backup: Declared<BackupRules> | undefined;
}

export const DEFAULT_TASK_TIMEOUT_SECONDS = 30 * 60;
export const DEFAULT_CHECK_TIMEOUT_SECONDS = 2 * 60;
export const DEFAULT_BACKUPS_KEPT = 3;

/** Reads them out of a drybag.yaml that is well-formed. */
export function declaredTasks(document: ConfigDocument, config: ConfigFile): DeclaredTasks {
  const declare = <T>(path: ValuePath, value: T): Declared<T> => ({
    value,
    label: path.join("."),
    positionOf: (...key) =>
      key.length === 0
        ? document.positionOfKey(path.slice(0, -1), String(path.at(-1)))
        : document.positionOf([...path, ...key]),
  });
  return {
    tasks: Object.entries(config.tasks ?? {}).map(([name, task]) =>
      declare(["tasks", name], taskOf(document, name, task)),
    ),
    checks: Object.entries(config.checks ?? {}).flatMap(([name, check]) => {
      const value = checkOf(document, name, check);
      return value === undefined ? [] : [declare(["checks", name], value)];
    }),
    backup: config.backup ? declare(["backup"], backupOf(config.backup)) : undefined,
  };
}

function taskOf(document: ConfigDocument, name: string, task: TaskInFile): Task {
  const path = ["tasks", name];
  const text = (...key: (string | number)[]) => document.textOf([...path, ...key]) ?? "";
  const { description, workingDirectory, settings = [], unless, before = [], once } = task;
  const environment = Object.keys(task.environment ?? {}).map((each) => [each, text("environment", each)]);
  return {
    name,
    ...(description !== undefined && { description: toVisibleLine(description) }),
    when: task.when === undefined ? ["on-demand"] : [...new Set([task.when].flat())],
    service: task.service,
    mode: task.mode ?? "exec",
    command: commandOf(document, [...path, "command"], task.command),
    ...(task.user !== undefined && { user: text("user") }),
    ...(workingDirectory !== undefined && { workingDirectory }),
    environment: Object.fromEntries(environment),
    settings: [...new Set(settings)],
    ...(task.arguments !== undefined && task.arguments.length > 0 && { arguments: task.arguments }),
    timeoutSeconds: secondsOf(text("timeout"), DEFAULT_TASK_TIMEOUT_SECONDS),
    ...(once === true && { once: true }),
    ...(unless !== undefined && { unless: commandOf(document, [...path, "unless"], unless) }),
    ...(before.length > 0 && { before }),
  };
}

/** undefined where it does not say which kind it is, which is a mistake. */
function checkOf(document: ConfigDocument, name: string, check: CheckInFile): Check | undefined {
  const path = ["checks", name];
  const timeout = document.textOf([...path, "timeout"]) ?? "";
  const common = { name, timeoutSeconds: secondsOf(timeout, DEFAULT_CHECK_TIMEOUT_SECONDS) };
  const { http, tcp, exec, log } = check;
  if (http) {
    const { service, port, headers, body, host } = http;
    return {
      ...common,
      kind: "http",
      service,
      port,
      path: http.path ?? "/",
      status: http.status ?? 200,
      ...(headers !== undefined && Object.keys(headers).length > 0 && { headers }),
      ...(body !== undefined && { body }),
      ...(host !== undefined && { host }),
    };
  }
  if (tcp) return { ...common, kind: "tcp", ...tcp };
  if (exec) {
    const user = document.textOf([...path, "exec", "user"]);
    const command = commandOf(document, [...path, "exec", "command"], exec.command);
    return {
      ...common,
      kind: "exec",
      service: exec.service,
      command,
      ...(user !== undefined && { user }),
    };
  }
  return log && { ...common, kind: "log", ...log };
}

function backupOf({ volumes, exclude, dumpTask, keep }: NonNullable<ConfigFile["backup"]>): BackupRules {
  return {
    ...(volumes !== undefined && { volumes: [...new Set(volumes)] }),
    ...(exclude !== undefined && exclude.length > 0 && { exclude: [...new Set(exclude)] }),
    ...(dumpTask !== undefined && { dumpTask }),
    keep: keep ?? DEFAULT_BACKUPS_KEPT,
  };
}

function commandOf(document: ConfigDocument, path: ValuePath, command: TaskInFile["command"]): string[] {
  if (typeof command === "string") return ["sh", "-c", command];
  return command.map((_, index) => document.textOf([...path, index]) ?? "");
}

const SECONDS: Record<string, number> = { "": 1, s: 1, m: 60, h: 3600 };

function secondsOf(text: string, byDefault: number): number {
  const match = /^([0-9]+)([smh]?)$/.exec(text);
  return match ? Number(match[1]) * (SECONDS[match[2] ?? ""] ?? 1) : byDefault;
}
