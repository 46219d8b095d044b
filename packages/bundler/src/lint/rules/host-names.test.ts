import { expect, test } from "vitest";
import { lintFiles, places } from "../testing/lint-files.ts";
import { hostNames } from "./host-names.ts";

const project = (web: string, rest = "") =>
  `services:\n  web:\n    image: a:1.0\n    ${web}\n  db: {image: a:1.0, container_name: the-db}\n  api: {image: a:1.0}\n${rest}`;

test.each([
  ["environment: {DB_HOST: db}", "4:28"],
  ["environment: {CACHE: 'redis://:secret@db:6379/0'}", "4:26"],
  ["environment: ['UPSTREAM=http://the-db/x']", "4:19"],
  ["environment: {BACKEND: 'db:8000'}", "4:28"],
  ["command: wait-for-it -t 9 db:3306", "4:14"],
])("%s names a service", async (web, place) => {
  const findings = await lintFiles(hostNames, project(web));
  expect(places(findings)).toEqual([`compose.yaml:${place} info depends-on-missing`]);
  expect(findings[0]?.message).toContain("'web' names 'db'");
});

test("nginx with a configuration of its own ends when a name is not there yet", async () => {
  const files = {
    "compose.yaml": project("volumes: ['./nginx.conf:/etc/nginx/nginx.conf:ro']").replace(
      "a:1.0",
      "nginx:1.27",
    ),
    "nginx.conf":
      "upstream up {\n  server api:8000;\n}\nserver {\n  location / { }\n  proxy_pass http://up;\n}\n",
  };
  const findings = await lintFiles(hostNames, files);
  expect(places(findings)).toEqual(["nginx.conf:2:10 warning depends-on-missing"]);
  expect(findings[0]?.message).toContain("'web' names 'api'");
});

test.each([
  ["it depends on the other", "environment: {DB_HOST: db}\n    depends_on: [db]"],
  ["the other depends on it", "environment: {API_URL: 'http://api'}", "  x: {image: a, depends_on: [web]}\n"],
  [
    "it depends on it through another",
    "environment: {DB_HOST: db}\n    depends_on: [mid]",
    "  mid: {image: a, depends_on: [db]}\n",
  ],
  ["they share no network", "environment: {DB_HOST: db}\n    networks: [other]"],
  [
    "it only looks like it",
    "environment: {MODE: db, PATH: /db:ro, SITE: 'api', X: 'mydb:1234', Y: 'db.example.com:80'}",
  ],
])("nothing to say where %s", async (title, web, rest = "") => {
  const text =
    title === "the other depends on it"
      ? project(web, rest).replace("api: {image: a:1.0}", "api: {image: a:1.0, depends_on: [web]}")
      : project(web, rest);
  expect(await lintFiles(hostNames, text)).toEqual([]);
});
