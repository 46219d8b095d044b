import { expect, test } from "vitest";
import { lintFiles, places } from "../testing/lint-files.ts";
import { restartPolicies } from "./restart-policies.ts";

test("services without a restart policy, the worse when others depend on them", async () => {
  const text = `services:
  web:
    image: a:1.0
    depends_on: {db: {condition: service_healthy}, setup: {condition: service_completed_successfully}}
  db: {image: a:1.0}
  setup: {image: a:1.0}
`;
  expect(places(await lintFiles(restartPolicies, text))).toEqual([
    "compose.yaml:2:3 info no-restart-policy",
    "compose.yaml:5:3 warning no-restart-policy",
  ]);
});

test.each([
  "restart: always",
  "restart: on-failure:5",
  "restart: 'no'",
  "deploy: {restart_policy: {condition: on-failure}}",
  "deploy: {restart_policy: {condition: none}}",
])("%s says what is meant", async (line) => {
  expect(await lintFiles(restartPolicies, `services:\n  web: {image: a:1.0, ${line}}\n`)).toEqual([]);
});

test("a one-shot may be declared in drybag.yaml", async () => {
  const position = { file: "drybag.yaml", line: 1, column: 1 };
  const lists = {
    extraImages: [],
    include: [],
    exclude: [],
    settings: [],
    builds: [],
    frappe: undefined,
    compose: undefined,
  };
  const tasks = { tasks: [], checks: [], backup: undefined };
  const config = {
    file: "drybag.yaml",
    folder: "/",
    ...lists,
    ...tasks,
    oneShots: [{ text: "setup", position }],
    updates: [],
  };
  const text = "services:\n  setup: {image: a:1.0}\n";
  expect(await lintFiles(restartPolicies, text, { config })).toEqual([]);
  expect(await lintFiles(restartPolicies, text)).toHaveLength(1);
});
