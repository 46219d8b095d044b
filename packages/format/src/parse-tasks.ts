import type { JsonValue } from "./json-value.ts";
import {
  type BackupRules,
  CHECK_KINDS,
  type Check,
  type ExecCheck,
  type HttpCheck,
  TASK_TIMES,
  type Task,
} from "./manifest-tasks.ts";

export function readTask(value: JsonValue): Task {
  const description = value.field("description").optional((field) => field.line());
  const user = value.field("user").optional(readUser);
  const workingDirectory = value
    .field("workingDirectory")
    .optional((field) => field.matching(/^\//, "an absolute path"));
  const names = value.field("arguments").optional((field) => notEmpty(field, readVariableName));
  const once = value.field("once").optional((field) => field.flag() || field.refuse("must be true"));
  const unless = value.field("unless").optional(readCommand);
  const before = value.field("before").optional((field) => notEmpty(field, readTaskName));
  return {
    name: readTaskName(value.field("name")),
    ...(description !== undefined && { description }),
    when: notEmpty(value.field("when"), (item) => item.oneOf(...TASK_TIMES)),
    service: value.field("service").text(),
    mode: value.field("mode").oneOf("exec", "run"),
    command: readCommand(value.field("command")),
    ...(user !== undefined && { user }),
    ...(workingDirectory !== undefined && { workingDirectory }),
    environment: readMap(value.field("environment"), readVariableName),
    settings: value.field("settings").list(readVariableName),
    ...(names !== undefined && { arguments: names }),
    timeoutSeconds: readTimeout(value.field("timeoutSeconds")),
    ...(once !== undefined && { once: true }),
    ...(unless !== undefined && { unless }),
    ...(before !== undefined && { before }),
  };
}

export function readCheck(value: JsonValue): Check {
  const common = {
    name: readTaskName(value.field("name")),
    timeoutSeconds: readTimeout(value.field("timeoutSeconds")),
  };
  const kind = value.field("kind").oneOf(...CHECK_KINDS);
  const service = value.field("service").text();
  switch (kind) {
    case "http":
      return { ...common, kind, service, ...readHttpCheck(value) };
    case "tcp":
      return { ...common, kind, service, port: readPort(value.field("port")) };
    case "exec":
      return { ...common, kind, service, ...readExecCheck(value) };
    case "log":
      return { ...common, kind, service, pattern: value.field("pattern").pattern() };
  }
}

export function readBackupRules(value: JsonValue): BackupRules {
  const volumes = value.field("volumes").optional((field) => notEmpty(field, (item) => item.line()));
  const exclude = value.field("exclude").optional((field) => notEmpty(field, (item) => item.line()));
  const dumpTask = value.field("dumpTask").optional(readTaskName);
  return {
    ...(volumes !== undefined && { volumes }),
    ...(exclude !== undefined && { exclude }),
    ...(dumpTask !== undefined && { dumpTask }),
    keep: readPositive(value.field("keep")),
  };
}

/** What is left out when there is nothing of it, so that it is written in one way only. */
export function notEmpty<T>(value: JsonValue, read: (item: JsonValue) => T): T[] {
  const items = value.list(read);
  return items.length > 0 ? items : value.refuse("must not be empty");
}

function readHttpCheck(value: JsonValue): Omit<HttpCheck, "kind" | "service"> {
  const headers = value.field("headers").optional((field) => readMap(field, readHeaderName, readHeaderValue));
  const body = value.field("body").optional((field) => field.pattern());
  const host = value.field("host").optional(readHeaderValue);
  return {
    port: readPort(value.field("port")),
    path: value.field("path").matching(/^\/[\x21-\x7e]*$/, "a path that begins with a slash, without spaces"),
    status: readStatus(value.field("status")),
    ...(headers !== undefined && { headers }),
    ...(body !== undefined && { body }),
    ...(host !== undefined && { host }),
  };
}

function readExecCheck(value: JsonValue): Omit<ExecCheck, "kind" | "service"> {
  const user = value.field("user").optional(readUser);
  return { command: readCommand(value.field("command")), ...(user !== undefined && { user }) };
}

/** Sorted by name, whatever the order that they stand in. */
export function readMap(
  value: JsonValue,
  readName: (name: JsonValue) => string,
  readValue: (value: JsonValue) => string = (field) => field.text(),
): Record<string, string> {
  const entries = value.entries().map(([name, field]) => [readName(name), readValue(field)] as const);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function readTaskName(value: JsonValue): string {
  return value.matching(/^[a-z0-9][a-z0-9-]{0,62}$/, "lower-case letters, digits and dashes");
}

export function readVariableName(value: JsonValue): string {
  return value.matching(/^[A-Za-z_][A-Za-z0-9_]*$/, "the name of a variable");
}

function readHeaderName(value: JsonValue): string {
  return value.matching(/^[A-Za-z][A-Za-z0-9-]{0,62}$/, "the name of a header");
}

function readHeaderValue(value: JsonValue): string {
  return value.matching(/^[\x20-\x7e]+$/, "printable ASCII");
}

function readUser(value: JsonValue): string {
  return value.matching(/^[A-Za-z0-9_][A-Za-z0-9_.:$-]{0,254}$/, "a user, or user:group");
}

/** The first item is the program. */
function readCommand(value: JsonValue): string[] {
  const items = notEmpty(value, (item) => item.text());
  return items[0] === "" ? value.refuse("must begin with a program") : items;
}

/** A week at most. */
function readTimeout(value: JsonValue): number {
  const seconds = readPositive(value);
  return seconds <= 604_800 ? seconds : value.refuse("must be 604800 at most");
}

function readPort(value: JsonValue): number {
  const port = readPositive(value);
  return port <= 65_535 ? port : value.refuse("must be 65535 at most");
}

function readStatus(value: JsonValue): number {
  const status = value.count();
  return status >= 100 && status <= 599 ? status : value.refuse("must be a status from 100 to 599");
}

function readPositive(value: JsonValue): number {
  const count = value.count();
  return count > 0 ? count : value.refuse("must be 1 at least");
}
