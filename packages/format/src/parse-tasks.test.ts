import { isDrybagError } from "@drybag/errors";
import { expect, test } from "vitest";
import type { Manifest } from "./manifest.ts";
import { canonicalJson } from "./parse-json.ts";
import { parseManifest, serializeManifest } from "./parse-manifest.ts";
import { fillIn } from "./task-rules.ts";
import { tinyBundle } from "./testing/tiny-bundle.ts";
import { tinyTasks } from "./testing/tiny-tasks.ts";

const withTasks = (): Manifest => ({ ...tinyBundle().manifest, ...tinyTasks() });

test("reads the tasks, checks and backup that it writes", () => {
  const manifest = withTasks();
  const bytes = serializeManifest(manifest);
  expect(parseManifest(bytes)).toEqual(manifest);
  expect(serializeManifest(parseManifest(bytes))).toEqual(bytes);
});

test("writes variables and headers sorted, whatever their order", () => {
  const shuffled = withTasks();
  Object.assign(shuffled.tasks?.[0] ?? {}, { environment: { B: "", A: "1" } });
  Object.assign(shuffled.checks?.[0] ?? {}, { headers: { "X-Port": "${PORT}", Accept: "*/*" } });
  expect(serializeManifest(shuffled)).toEqual(serializeManifest(withTasks()));
});

// biome-ignore lint/suspicious/noExplicitAny: tests write what the types forbid.
type Broken = any;

test.each<[string, (manifest: Broken) => void, RegExp]>([
  ["tasks that are not critical", (it) => (it.critical = []), /critical must name "tasks"/],
  ["an empty list of tasks", (it) => (it.tasks = []), /tasks must not be empty/],
  ["an empty list of checks", (it) => (it.checks = []), /checks must not be empty/],
  ["two tasks of one name", (it) => (it.tasks[1].name = "dump"), /tasks has the name dump twice/],
  ["two checks of one name", (it) => (it.checks[1].name = "ping"), /checks has the name ping twice/],
  ["a name of another form", (it) => (it.tasks[0].name = "Dump"), /tasks\[0\]\.name must be/],
  ["a task in no service", (it) => (it.tasks[0].service = "db"), /dump needs the service db/],
  ["a check of no service", (it) => (it.checks[1].service = "db"), /open needs the service db/],
  ["a task that comes after no task", (it) => (it.tasks[1].before = ["x"]), /migrate comes after x/],
  ["a task that waits for itself", (it) => (it.tasks[0].before = ["dump"]), /dump before dump/],
  [
    "tasks that wait for each other",
    (it) => (it.tasks[0].before = ["migrate"]),
    /dump before migrate before dump/,
  ],
  ["a setting that is none", (it) => (it.tasks[0].settings = ["NO"]), /needs the setting NO/],
  ["a check with a setting that is none", (it) => (it.checks[0].host = "${NO}"), /needs the setting NO/],
  ["an argument that is a setting", (it) => (it.tasks[0].arguments = ["PORT"]), /argument PORT, which is a/],
  ["a variable given twice", (it) => (it.tasks[0].environment = { APP: "1" }), /is given APP twice/],
  ["an argument that steers the client", (it) => (it.tasks[0].arguments = ["DOCKER_HOST"]), /steers Docker/],
  ["a variable that is none", (it) => (it.tasks[0].environment = { "A=B": "" }), /has a key that must be/],
  ["a dump task that is none", (it) => (it.backup.dumpTask = "x"), /backup\.dumpTask "x"/],
  ["a backup that keeps none", (it) => (it.backup.keep = 0), /backup\.keep must be 1 at least/],
  ["no program", (it) => (it.tasks[0].command = [""]), /must begin with a program/],
  ["no command", (it) => (it.checks[2].command = []), /command must not be empty/],
  ["an option for a user", (it) => (it.tasks[0].user = "--privileged"), /user must be/],
  ["no time at all", (it) => (it.tasks[0].timeoutSeconds = 0), /must be 1 at least/],
  ["more than a week", (it) => (it.tasks[0].timeoutSeconds = 604_801), /604800 at most/],
  ["a port that is none", (it) => (it.checks[1].port = 65_536), /65535 at most/],
  ["a status that is none", (it) => (it.checks[0].status = 600), /status from 100 to 599/],
  ["a path with a line end", (it) => (it.checks[0].path = "/\nHost: x"), /path must be|path has control/],
  ["a header with a line end", (it) => (it.checks[0].headers = { A: "b\nC: d" }), /printable ASCII/],
  ["a pattern that is none", (it) => (it.checks[3].pattern = "("), /regular expression/],
  ["another kind of check", (it) => (it.checks[0].kind = "udp"), /kind must be "http" or/],
])("refuses %s", (_, change, message) => {
  const manifest = withTasks();
  change(manifest);
  let said = "not refused";
  try {
    parseManifest(Buffer.from(canonicalJson(manifest)));
  } catch (error) {
    if (!isDrybagError(error, "manifest-invalid")) throw error;
    said = error.message;
  }
  expect(said).toMatch(message);
});

test("settings are filled in where they are named, and nothing else is", () => {
  const settings = new Map([["A", "1$&"]]);
  expect(fillIn("${A}.$A.${B}", settings)).toBe("1$&.$A.");
});
