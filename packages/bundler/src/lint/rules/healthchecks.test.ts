import { expect, test } from "vitest";
import { lintFiles, places } from "../testing/lint-files.ts";
import { healthchecks } from "./healthchecks.ts";

const healthy = (db: string) => `services:
  web:
    image: a:1.0
    restart: always
    depends_on:
      db: {condition: service_healthy}
  db: {${db}}
`;

test.each([
  ["image: 'postgres:16'", "error"],
  ["image: 'a:1', healthcheck: {disable: true}", "error"],
  ["image: 'a:1', healthcheck: {test: [NONE]}", "error"],
  // It may have one of its own.
  ["image: 'a:1'", "warning"],
  ["build: ., image: postgres", "warning"],
])("waiting for a healthcheck that is not there: %s is a %s", async (db, severity) => {
  expect(places(await lintFiles(healthchecks, healthy(db)))).toEqual([
    `compose.yaml:6:11 ${severity} healthcheck-missing`,
  ]);
});

test("one in the Compose file or in the Dockerfile is there", async () => {
  expect(
    await lintFiles(healthchecks, healthy("image: 'postgres:16', healthcheck: {test: pg_isready}")),
  ).toEqual([]);
  const files = { "compose.yaml": healthy("build: ./db"), "db/Dockerfile": "FROM a\nHEALTHCHECK CMD true\n" };
  expect(await lintFiles(healthchecks, files)).toEqual([]);
});

test("a dependency that need not be there is only warned about", async () => {
  const text = healthy("image: 'postgres:16'").replace("service_healthy", "service_healthy, required: false");
  expect(places(await lintFiles(healthchecks, text))).toEqual([
    "compose.yaml:6:11 warning healthcheck-missing",
  ]);
});

test("services that others depend on: one finding for those that restart, one each for those that do not", async () => {
  const text = `services:
  web:
    image: a:1.0
    depends_on: [one, two, three, checked, setup]
  one: {image: a:1.0, restart: always}
  two: {image: a:1.0, deploy: {restart_policy: {condition: any}}}
  three: {image: a:1.0}
  checked: {image: a:1.0, healthcheck: {test: "true"}}
  setup: {image: a:1.0, restart: "no"}
`;
  const findings = await lintFiles(healthchecks, text);
  expect(places(findings)).toEqual([
    "compose.yaml:7:3 warning no-healthcheck",
    "compose.yaml:5:3 info no-healthcheck",
  ]);
  expect(findings[1]?.message).toContain("'one' and 'two'");
});

test("a one-shot that begins again each time", async () => {
  const text = `services:
  web:
    image: a:1.0
    depends_on: {setup: {condition: service_completed_successfully}}
  setup: {image: a:1.0, restart: always}
`;
  expect(places(await lintFiles(healthchecks, text))).toEqual([
    "compose.yaml:5:34 warning one-shot-restarts",
  ]);
  expect(await lintFiles(healthchecks, text.replace("always", "on-failure"))).toEqual([]);
});
