import type { ComposeModel } from "@drybag/docker";
import { isDrybagError } from "@drybag/errors";
import { expect, test } from "vitest";
import { parseConfigDocument } from "../config/config-document.ts";
import { configOf } from "../config/load-config.ts";
import { checkTasks, settingsOfTasks } from "./check-tasks.ts";

const MODEL: ComposeModel = { name: "p", services: { web: {}, db: {} }, volumes: { data: null } };

function projectOf(text: string) {
  return configOf(parseConfigDocument("/p/drybag.yaml", text, "drybag.yaml")).project;
}

function mistakes(text: string): string[] {
  try {
    checkTasks(projectOf(text), MODEL);
  } catch (error) {
    if (!isDrybagError(error, "config-invalid")) throw error;
    return error.message.split("\n");
  }
  return [];
}

test("what tasks, checks and backup name is there", () => {
  const text =
    "{tasks: {a: {service: web, command: x, before: [b]}, b: {service: db, command: y}}, " +
    "checks: {c: {tcp: {service: db, port: 1}}}, backup: {volumes: [data, 'db:/var/lib/db'], dumpTask: b}}";
  expect(mistakes(text)).toEqual([]);
});

test.each([
  [
    "tasks: {a: {service: wed, command: x}}",
    "drybag.yaml:1:22: tasks.a: the project has no service 'wed'; did you mean 'web'?",
  ],
  ["tasks: {a: {service: web, command: x, before: [zz]}}", "tasks.a: the project has no task 'zz'"],
  [
    "checks: {a: {log: {service: x, pattern: x}}}",
    "drybag.yaml:1:29: checks.a: the project has no service 'x'; there are web, db",
  ],
  ["backup: {exclude: [cache]}", "backup: the project has no volume 'cache'; there are data"],
  ['backup: {exclude: ["cache:/data"]}', "backup: the project has no service 'cache'; there are web, db"],
  ["backup: {dumpTask: dump}", "backup: the project has no task 'dump'; there is none at all"],
  [
    "tasks: {a: {service: web, command: x, before: [b]}, b: {service: web, command: x, before: [a]}}",
    "tasks wait for each other: a before b before a",
  ],
  [
    "{settings: {APP: {default: x}}, tasks: {a: {service: web, command: x, arguments: [APP]}}}",
    "'APP' is a setting of the site",
  ],
])("refuses %s", (text, message) => {
  expect(mistakes(text).join("\n")).toContain(message);
});

test("settings of tasks and checks are needed", () => {
  const text =
    "{tasks: {a: {service: web, command: x, settings: [A]}}, checks: {c: {http: {service: db, port: 1, host: '${B}'}}}}";
  expect(settingsOfTasks(projectOf(text))).toEqual(["A", "B"]);
});
