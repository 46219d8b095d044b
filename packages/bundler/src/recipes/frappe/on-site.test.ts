import type { ComposeModel } from "@drybag/docker";
import { describe, expect, test } from "vitest";
import { parseConfigDocument } from "../../config/config-document.ts";
import { configOf } from "../../config/load-config.ts";
import { checkTasks, settingsOfTasks } from "../../project/check-tasks.ts";
import { withFrappeOnSite } from "./on-site.ts";

const model = (...services: string[]): ComposeModel => ({
  name: "erp",
  services: Object.fromEntries(services.map((name) => [name, { image: "erp" }])),
});

function onSite(more = "", services = ["backend", "frontend"]) {
  const text = `recipe: frappe\nfrappe:\n  version: v15.88.1\n${more}`;
  const { project } = configOf(parseConfigDocument("/p/drybag.yaml", text, "drybag.yaml"));
  const config = withFrappeOnSite(project, model(...services));
  checkTasks(config, model(...services));
  return {
    tasks: config.tasks.map(({ value }) => value),
    checks: config.checks.map(({ value }) => value),
    settings: config.settings.map(({ position, ...setting }) => setting),
    needed: [...new Set(settingsOfTasks(config))].sort(),
  };
}

const names = (parts: readonly { name: string }[]) => parts.map(({ name }) => name);

test("a site is made, checked and looked after", () => {
  const { tasks, checks, settings, needed } = onSite();
  expect(names(tasks)).toEqual([
    ...["create-site", "migrate", "bench-backup", "install-app", "uninstall-app", "list-apps", "clear-cache"],
  ]);
  expect(tasks.find(({ name }) => name === "uninstall-app")).toMatchObject({
    before: ["bench-backup"],
    arguments: ["APP"],
  });
  expect(names(checks)).toEqual(["ping"]);
  expect(needed).toEqual(["ADMIN_PASSWORD", "DB_PASSWORD", "SITE_NAME"]);
  expect(settings).toMatchObject([
    { name: "SITE_NAME", required: true },
    { name: "ADMIN_PASSWORD", secret: true, required: true },
  ]);
});

test("a project that makes its site itself is left to it", () => {
  const { tasks, settings } = onSite("", ["backend", "frontend", "create-site"]);
  expect(names(tasks)).not.toContain("create-site");
  expect(settings).toEqual([expect.objectContaining({ name: "SITE_NAME", default: "frontend" })]);
});

describe("drybag.yaml wins", () => {
  test("with what it says by the same name", () => {
    const { tasks, checks, settings } = onSite(`tasks:
  migrate: {service: backend, command: [mine]}
  own: {service: backend, command: [own]}
checks: {ping: {tcp: {service: backend, port: 1}}}
settings: {SITE_NAME: {default: mine.example}}
`);
    expect(tasks.find(({ name }) => name === "migrate")?.command).toEqual(["mine"]);
    expect(names(tasks).filter((name) => name === "migrate")).toHaveLength(1);
    expect(names(tasks)).toContain("own");
    expect(checks).toEqual([expect.objectContaining({ name: "ping", kind: "tcp" })]);
    expect(settings.filter(({ name }) => name === "SITE_NAME")).toEqual([
      expect.objectContaining({ default: "mine.example" }),
    ]);
  });

  test("with the name of the site, and where it wants none of it", () => {
    expect(onSite("  site: erp.example\n").settings[0]).toMatchObject({ default: "erp.example" });
    expect(onSite("  tasks: false\n")).toEqual({ tasks: [], checks: [], settings: [], needed: [] });
  });
});

test("a project without bench is left alone", () => {
  expect(onSite("", ["web"])).toEqual({ tasks: [], checks: [], settings: [], needed: [] });
});
