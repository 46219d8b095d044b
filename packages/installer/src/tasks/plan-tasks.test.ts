import type { Task, TaskTime } from "@drybag/format";
import { expect, test } from "vitest";
import { tasksAt, taskWithPrerequisites } from "./plan-tasks.ts";

const task = (name: string, when: TaskTime[], before?: string[]): Task => ({
  name,
  when,
  service: "web",
  mode: "exec",
  command: ["x"],
  environment: {},
  settings: [],
  timeoutSeconds: 1,
  ...(before && { before }),
});

const TASKS = [
  task("uninstall-app", ["on-demand"], ["backup"]),
  task("migrate", ["after-upgrade"], ["backup", "stop"]),
  task("create", ["first-install"]),
  task("backup", ["on-demand", "after-upgrade"], ["stop"]),
  task("stop", ["on-demand"]),
];
const names = (tasks: Task[]) => tasks.map(({ name }) => name);

test("tasks run in their order, each once, after those that come before", () => {
  expect(names(tasksAt(TASKS, "first-install"))).toEqual(["create"]);
  expect(names(tasksAt(TASKS, "after-upgrade"))).toEqual(["stop", "backup", "migrate"]);
  expect(names(tasksAt(TASKS, "before-upgrade"))).toEqual([]);
});

test("one task brings those that come before it", () => {
  expect(names(taskWithPrerequisites(TASKS, "uninstall-app"))).toEqual(["stop", "backup", "uninstall-app"]);
  expect(names(taskWithPrerequisites(TASKS, "none"))).toEqual([]);
});
