import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Lab, labUp, readLabEnvironment } from "@drybag/lab";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CORPUS } from "../support/paths.ts";
import { runDrybag } from "../support/run-programs.ts";

interface Report {
  findings: {
    code: string;
    severity: string;
    message: string;
    remedy?: string;
    position?: { file: string; line: number; column: number };
  }[];
  counts: { error: number; warning: number; info: number };
}

let lab: Lab;
let work: string;

beforeAll(async () => {
  lab = await labUp({ name: "lint", environment: readLabEnvironment(process.env) });
  work = await mkdtemp(path.join(tmpdir(), "drybag-lint-"));
});
afterAll(async () => {
  await rm(work, { recursive: true, force: true });
  await lab?.[Symbol.asyncDispose]();
});

async function write(files: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(path.join(work, "project-"));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(path.join(folder, path.dirname(name)), { recursive: true });
    await writeFile(path.join(folder, name), content);
  }
  return folder;
}

/** Findings as `compose.yaml:3:12 warning moving-tag`. */
async function lint(cwd: string, flags: readonly string[] = []) {
  const { exitCode, stdout, stderr } = await runDrybag(lab.connected, ["lint", "--json", ...flags], { cwd });
  expect(stderr).toBe("");
  const { findings, counts } = JSON.parse(stdout) as Report;
  const shown = findings.map(({ position, severity, code }) => {
    const place = position && `${path.relative(cwd, position.file)}:${position.line}:${position.column}`;
    return `${place ?? "-"} ${severity} ${code}`;
  });
  return { exitCode, shown, findings, counts };
}

test("findings are placed through overrides, extends, include and env files", async () => {
  const cwd = await write({
    "compose.yaml": `include: [more/cache.yaml]
services:
  web:
    extends: {file: base/web.yaml, service: base}
    ports: ["\${PORT:-80}:80"]
    depends_on: {db: {condition: service_healthy}}
  db:
    image: postgres:16.4
    restart: always
    environment: {POSTGRES_PASSWORD: "\${DB_PASSWORD}"}
    volumes: [data:/var/lib/postgresql/data]
volumes:
  data:
`,
    "override.yaml":
      "services:\n  api:\n    image: shop/api:1.4\n    restart: always\n    ports: ['80:8000']\n",
    "base/web.yaml":
      "services:\n  base:\n    image: nginx\n    restart: always\n    volumes: ['./conf:/conf']\n",
    "base/conf/a": "",
    "more/cache.yaml":
      "services:\n  cache:\n    image: redis:8.6\n    restart: always\n    privileged: true\n",
    ".env": "# for the database\nDB_PASSWORD=123\n",
  });
  const report = await lint(cwd, ["-f", "compose.yaml", "-f", "override.yaml"]);
  expect(report.shown).toEqual([
    ".env:2:13 warning default-password",
    "base/web.yaml:3:12 warning moving-tag",
    "compose.yaml:5:13 error port-published-twice",
    "compose.yaml:6:22 error healthcheck-missing",
    "more/cache.yaml:5:17 warning privileged",
  ]);
  expect(report).toMatchObject({ exitCode: 3, counts: { error: 2, warning: 3, info: 0 } });
});

test("warnings pass, but not with --strict; people see lines that editors understand", async () => {
  const cwd = await write({ "compose.yaml": "services:\n  web:\n    image: nginx\n    restart: always\n" });
  expect(await lint(cwd)).toMatchObject({ exitCode: 0, shown: ["compose.yaml:3:12 warning moving-tag"] });
  expect(await lint(cwd, ["--strict"])).toMatchObject({ exitCode: 3 });
  const { stdout } = await runDrybag(lab.connected, ["lint"], { cwd });
  expect(stdout).toMatch(
    /^compose\.yaml:3:12: warning: 'nginx', .* \[moving-tag\]\n {4}\w.*\n0 errors, 1 warning, 0 for information\.$/,
  );
});

describe("what Compose or packing would refuse is an error with its place, beside what else can be seen", () => {
  const token = `glpat-${"a1B2".repeat(6)}`;
  test.each([
    [
      "a name twice",
      "services:\n  a: {image: a, container_name: the-app}\n  b: {image: b, container_name: the-app}\n",
      ["compose.yaml:3:33 error container-name-clash"],
    ],
    [
      "an unknown key",
      `services:\n  a:\n    image: a\n    imagee: ${token}\n`,
      ["compose.yaml:4:5 error project-invalid", "compose.yaml:4:13 warning token-in-file"],
    ],
    [
      "an undefined volume",
      "services:\n  a:\n    image: a\n    volumes: [data:/x]\n",
      ["compose.yaml:2:3 error project-invalid"],
    ],
    [
      "broken YAML",
      "services:\n  a: {image: a\n  b: [\n",
      [expect.stringMatching(/^compose\.yaml:\d+:\d+ error project-invalid$/)],
    ],
    [
      "files of another machine",
      `include: [oci://registry.example/a]\nservices:\n  a: {image: a, extends: {file: "https://example.com/b.yaml", service: b}}\n`,
      ["compose.yaml:1:11 error remote-file", "compose.yaml:3:33 error remote-file"],
    ],
    [
      "a variable that chooses an image",
      "services:\n  a:\n    image: a:$" +
        "{TAG:?}\n    restart: always\n    environment: ['A_KEY=$" +
        "{KEY:?}']\n",
      ["compose.yaml:3:12 error setting-missing", "compose.yaml:5:19 info setting-asked"],
    ],
    [
      "a bind mount that is not there",
      "services:\n  a:\n    image: a:1.0\n    restart: always\n    volumes: [./conf:/conf]\n",
      ["compose.yaml:5:15 error file-missing"],
    ],
  ])("%s", async (_, text, expected) => {
    const { exitCode, shown } = await lint(await write({ "compose.yaml": text }));
    expect(exitCode).toBe(3);
    expect(shown).toEqual(expect.arrayContaining(expected));
    expect(shown.filter((line) => line.includes(" error "))).toHaveLength(
      expected.filter((line) => typeof line !== "string" || line.includes(" error ")).length,
    );
  });

  test("an env file that is not there", async () => {
    const cwd = await write({ "compose.yaml": "services:\n  a: {image: a, env_file: gone.env}\n" });
    const { exitCode, findings } = await lint(cwd);
    expect(exitCode).toBe(3);
    expect(findings[0]).toMatchObject({ severity: "error", message: expect.stringContaining("gone.env") });
  });
});

test("what a profile that is not chosen would need is for information", async () => {
  const cwd = await write({
    "compose.yaml":
      "services:\n  a: {image: 'a:1.0', restart: always, profiles: [one]}\n  b: {image: 'b:1.0', profiles: [two]}\n",
  });
  const { shown } = await lint(cwd, ["--profile", "one"]);
  expect(shown).toEqual(["compose.yaml:3:3 info profile-left-out"]);
});

describe.skipIf(!existsSync(path.join(CORPUS, "frappe_docker")))("frappe_docker", () => {
  const source = path.join(CORPUS, "frappe_docker");
  const override = (name: string) => ["-f", `overrides/compose.${name}.yaml`];
  const base = [
    "--env-file",
    "example.env",
    "-f",
    "compose.yaml",
    ...override("mariadb"),
    ...override("redis"),
  ];
  const always = [
    "compose.yaml:6:16 info pull-policy",
    "compose.yaml:46:3 info no-healthcheck",
    "example.env:5:13 warning default-password",
  ];

  test.each([
    ["noproxy", [...base, ...override("noproxy")], always],
    [
      "https",
      [...base, ...override("https")],
      [
        ...always,
        "overrides/compose.https.yaml:7:9 warning certificate-from-internet",
        "overrides/compose.https.yaml:20:9 warning certificate-from-internet",
        "overrides/compose.https.yaml:29:9 warning docker-socket",
      ],
    ],
    [
      "mariadb-secrets",
      [...base, ...override("mariadb-secrets")],
      [...always.slice(0, 2), "overrides/compose.mariadb-secrets.yaml:11:11 error setting-missing"],
    ],
  ])("with %s has these findings and no others", async (name, flags, expected) => {
    const cwd = path.join(work, `frappe-${name}`);
    await cp(source, cwd, { recursive: true });
    expect((await lint(cwd, flags)).shown).toEqual(expected);
  });
});
