// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Compose syntax
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { readEnvFile } from "../compose/env-file.ts";
import { scanVariables } from "../compose/scan-variables.ts";
import type { DeclaredSetting } from "../config/project-config.ts";
import { collectSettings, type SettingSources } from "./collect-settings.ts";

function collect(text: string, sources: Partial<SettingSources> = {}) {
  return collectSettings({
    uses: scanVariables(text),
    environment: {},
    ownEnvironment: {},
    unknown: [],
    ...sources,
  });
}

function declare(setting: Omit<DeclaredSetting, "position">): DeclaredSetting {
  return { ...setting, position: { file: "/p/drybag.yaml", line: 3, column: 3 } };
}

test("a required variable without a value is asked on site, in the words of the Compose file", () => {
  const { settings } = collect("${GREETING:?the greeting}", { unknown: ["GREETING"] });
  expect(settings).toEqual([
    { name: "GREETING", required: true, secret: false, description: "the greeting" },
  ]);
});

test("a value from the packing environment is carried, a secret one is asked for", () => {
  const own = { TAG: "v2", DB_PASSWORD: "hunter2" };
  const { settings, packedEnvironment } = collect(
    "${TAG:-v1} ${DB_PASSWORD:-123} $PORT ${HOME} ${COMPOSE_FILE}",
    {
      environment: { ...own, PORT: "80", HOME: "/root", COMPOSE_FILE: "a" },
      ownEnvironment: own,
    },
  );
  expect(packedEnvironment).toEqual({ TAG: "v2" });
  expect(settings).toEqual([
    { name: "DB_PASSWORD", required: true, secret: true },
    { name: "PORT", required: false, secret: false, default: "80" },
    { name: "TAG", required: false, secret: false, default: "v2" },
  ]);
  expect(JSON.stringify(settings)).not.toContain("hunter2");
});

test.each(["NAME not set", "No NAME set", "is required", "set NAME in .env"])(
  "%j describes nothing",
  (message) => {
    const { settings } = collect(`\${NAME:?${message}}`, { unknown: ["NAME"] });
    expect(settings).toEqual([{ name: "NAME", required: true, secret: false }]);
  },
);

test("an empty value falls back to the default where Compose does so", () => {
  const { settings } = collect("${A:-1} ${B-2} ${C}", { environment: { A: "", B: "", C: "" } });
  expect(settings.map((setting) => setting.default)).toEqual(["1", "", ""]);
});

test("the comment above a variable describes it; that of the last env file wins", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "drybag-settings-"));
  try {
    await writeFile(path.join(folder, "a.env"), "# First\n# line\nPORT=1\n\n# ----\nRULE=x\n");
    await writeFile(path.join(folder, "b.env"), "# The port\t\u001b[31m of the page\nPORT=2\nA=1\n");
    const envFiles = await Promise.all(
      ["a.env", "b.env"].map((name) => readEnvFile(path.join(folder, name))),
    );
    const { settings } = collect("$PORT $A ${RULE:?which?}", {
      envFiles: envFiles.flatMap((file) => file ?? []),
    });
    expect(settings.map(({ name, description }) => [name, description])).toEqual([
      ["A", undefined],
      ["PORT", "The port [31m of the page"],
      ["RULE", undefined],
    ]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("drybag.yaml has the last word", () => {
  const { settings, packedEnvironment, findings } = collect("${PORT:-80} ${KEY:-abc} ${MODE} ${TZ} ${PIN}", {
    environment: { PORT: "8080", KEY: "abc", PIN: "1", MODE: "on" },
    ownEnvironment: { MODE: "on" },
    declared: [
      declare({ name: "PORT", default: "8080", type: "port", description: "Port of the page" }),
      declare({ name: "KEY", secret: false }),
      declare({ name: "PIN", secret: true, required: true }),
      declare({ name: "MODE", type: "choice", choices: ["on", "off"], default: "off" }),
      declare({ name: "TZ", required: true }),
    ],
  });
  expect(findings).toEqual([]);
  expect(packedEnvironment).toEqual({ PORT: "8080", MODE: "on" });
  expect(settings).toEqual([
    { name: "KEY", required: false, secret: false, default: "abc" },
    { name: "MODE", required: false, secret: false, default: "on", type: "choice", choices: ["on", "off"] },
    { name: "PIN", required: true, secret: true },
    {
      name: "PORT",
      required: false,
      secret: false,
      default: "8080",
      type: "port",
      description: "Port of the page",
    },
    { name: "TZ", required: true, secret: false },
  ]);
});

test("what drybag.yaml calls optional is asked for where Compose cannot do without", () => {
  const { settings } = collect("${A:?}", {
    unknown: ["A"],
    declared: [declare({ name: "A", required: false })],
  });
  expect(settings).toMatchObject([{ name: "A", required: true }]);
});

test("a setting that no variable uses is found, with its place and what was meant", () => {
  const { settings, packedEnvironment, findings } = collect("${HTTP_PORT}", {
    declared: [declare({ name: "HTTP_PROT", default: "80" }), declare({ name: "OTHER" })],
  });
  expect(settings).toMatchObject([{ name: "HTTP_PORT" }]);
  expect(packedEnvironment).toEqual({});
  expect(findings).toMatchObject([
    {
      code: "setting-unused",
      severity: "warning",
      remedy: "Did you mean HTTP_PORT?",
      position: { file: "/p/drybag.yaml", line: 3, column: 3 },
    },
    { code: "setting-unused", remedy: expect.stringContaining("take it out") },
  ]);
});

test("what only a task needs is a setting, and must have a value", () => {
  const collect = (environment: Record<string, string>, declared: DeclaredSetting[] = []) =>
    collectSettings({
      uses: [],
      environment,
      ownEnvironment: {},
      unknown: [],
      declared,
      needed: ["SITE", "SITE"],
    });
  const position = { file: "/p/drybag.yaml", line: 1, column: 1 };
  expect(collect({})).toEqual({
    settings: [{ name: "SITE", required: true, secret: false }],
    packedEnvironment: {},
    findings: [],
  });
  expect(collect({ SITE: "erp" }).settings).toEqual([
    { name: "SITE", required: false, secret: false, default: "erp" },
  ]);
  const optional = collect({}, [{ name: "SITE", position, required: false }]);
  expect(optional).toMatchObject({ settings: [{ name: "SITE", required: false }], findings: [] });
});
