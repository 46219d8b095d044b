import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { lint } from "./lint.ts";
import { RULES } from "./rules.ts";
import { lintFiles, places } from "./testing/lint-files.ts";

/** Everything, as one rule. */
const all = { codes: [], check: lint };

describe("the registry", () => {
  test("has each code once", () => {
    const codes = RULES.flatMap((rule) => rule.codes);
    expect(codes).toEqual([...new Set(codes)]);
  });

  test("has only codes that docs/errors.md explains, with cause and remedy", () => {
    const page = readFileSync(join(import.meta.dirname, "../../../../docs/errors.md"), "utf8");
    for (const code of RULES.flatMap((rule) => rule.codes)) {
      const row = page.split("\n").find((line) => line.startsWith(`| \`${code}\` |`));
      expect(row, code).toBeDefined();
      const cells = row?.split("|").slice(2, -1) ?? [];
      expect(cells, code).toHaveLength(3);
      for (const cell of cells) expect(cell.trim(), code).not.toBe("");
    }
  });

  test("has every code that a rule makes", () => {
    const codes = new Set(RULES.flatMap((rule) => rule.codes));
    const rules = readFileSync(join(import.meta.dirname, "rules.ts"), "utf8").matchAll(
      /"(\.\/rules\/[\w-]+\.ts)"/g,
    );
    const files = [...rules].map((match) => match[1] as string);
    expect(files).toHaveLength(RULES.length);
    for (const file of files) {
      const text = readFileSync(join(import.meta.dirname, file), "utf8");
      for (const [, code] of text.matchAll(/\bcode: "([a-z-]+)"/g)) expect(codes, file).toContain(code);
    }
  });
});

const project = `services:
  web:
    image: nginx
    ports: ["80:80"]
    environment:
      API_URL: http://api:8000
      ADMIN_PASSWORD: warehouse
      USER: warehouse
    volumes: [/srv/data:/data]
  api:
    image: shop/api:1.4
    ports: ["80:8000"]
    restart: always
`;

test("all findings come at once, in the order in which they are written", async () => {
  expect(places(await lintFiles(all, project))).toEqual([
    "compose.yaml:2:3 info no-restart-policy",
    "compose.yaml:3:12 warning moving-tag",
    "compose.yaml:6:16 warning depends-on-missing",
    "compose.yaml:7:23 warning default-password",
    "compose.yaml:9:15 warning bind-outside-project",
    "compose.yaml:12:13 error port-published-twice",
  ]);
});

test("each finding says what to do", async () => {
  for (const { remedy } of await lintFiles(all, project)) expect(remedy).toMatch(/\w/);
});

test("a project as it should be has none", async () => {
  const text = `services:
  web:
    image: nginx:1.27
    restart: always
    ports: ["80:80"]
    depends_on: {db: {condition: service_healthy}}
  db:
    image: postgres:16.4
    restart: always
    environment: {POSTGRES_PASSWORD_FILE: /run/secrets/db}
    healthcheck: {test: pg_isready}
    volumes: [data:/var/lib/postgresql/data]
volumes:
  data:
`;
  expect(await lintFiles(all, text)).toEqual([]);
});

test.each([
  "services: {}\n",
  "services:\n  a: {image: a:1.0, restart: always, environment: , volumes: [], ports: , depends_on: }\n",
  "services:\n  a: {image: a:1.0, restart: always, labels: {1: 2, true: false}, environment: {A: , B: 1.10, C: 0x10}}\n",
  "x-a: &a [1, {b: 2}, ~]\nservices:\n  a: {image: a:1.0, restart: always, x-b: *a}\n",
])("odd projects do not trip it: %j", async (text) => {
  expect(await lintFiles(all, text)).toEqual([]);
});

test("a project of 200 services takes no second", async () => {
  const names = Array.from({ length: 200 }, (_, index) => `s${index}`);
  const text = names
    .map(
      (name, index) =>
        `  ${name}:\n    image: a:1.0\n    restart: always\n    environment: {PEER: 'http://s${index + 1}:80', TOKEN: '$$T'}\n    ports: ['${8000 + index}:80']\n`,
    )
    .join("");
  const startedMs = performance.now();
  const findings = await lintFiles(all, `services:\n${text}`);
  expect(findings).toHaveLength(199);
  expect(performance.now() - startedMs).toBeLessThan(30_000);
});
