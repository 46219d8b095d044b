// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Compose syntax
import { homedir } from "node:os";
import { expect, test } from "vitest";
import { lintFiles, places } from "../testing/lint-files.ts";
import { files } from "./files.ts";

const web = (...lines: string[]) =>
  `services:\n  web:\n    image: a:1.0\n${lines.map((line) => `    ${line}\n`).join("")}`;

test("a bind mount that is not there", async () => {
  const findings = await lintFiles(files, web("volumes:", "  - ./nginx.conf:/etc/nginx.conf:ro"));
  expect(places(findings)).toEqual(["compose.yaml:5:9 error file-missing"]);
  expect(findings[0]?.message).toContain("nginx.conf, mounted by 'web', does not exist");
});

test("a bind mount outside the project", async () => {
  const findings = await lintFiles(files, web("volumes: ['/srv/data:/data', '~/x:/x', '../up:/up']"));
  expect(places(findings)).toEqual([
    "compose.yaml:4:15 warning bind-outside-project",
    "compose.yaml:4:34 warning bind-outside-project",
    "compose.yaml:4:44 warning bind-outside-project",
  ]);
  expect(findings[1]?.message).toContain(`${homedir()}/x`);
});

test("the file of a config or secret", async () => {
  const text =
    "services:\n  web: {image: a}\nconfigs:\n  c: {file: ./gone}\nsecrets:\n  s: {file: /srv/secret}\n  t: {environment: T}\n";
  expect(places(await lintFiles(files, text))).toEqual([
    "compose.yaml:4:13 error file-missing",
    "compose.yaml:6:13 warning bind-outside-project",
  ]);
});

test("a path that is absolute by way of a variable", async () => {
  const given = { "compose.yaml": web("volumes: ['${ROOT}/conf:/conf']"), "conf/a": "" };
  const folder = await lintFiles(files, given, { own: { ROOT: "/nowhere" } });
  expect(places(folder)).toEqual(["compose.yaml:4:15 warning bind-outside-project"]);
});

test("a folder to build from that is not there", async () => {
  expect(places(await lintFiles(files, web("build: {context: ./app}")))).toEqual([
    "compose.yaml:4:22 warning build-context-missing",
  ]);
});

test("what is there is fine, and so is what only the site knows", async () => {
  const given = {
    "compose.yaml": web("build: ./app", "volumes: ['./conf:/conf', 'data:/data', '${SITE_DATA:?}:/srv']"),
    "conf/a": "",
    "app/Dockerfile": "FROM scratch\n",
  };
  expect(await lintFiles(files, given)).toEqual([]);
});
