import { expect, test } from "vitest";
import { lintFiles, places } from "../testing/lint-files.ts";
import { startCommands } from "./start-commands.ts";

const service = (...lines: string[]) =>
  `services:\n  s:\n    image: a:1.0\n${lines.map((line) => `    ${line}\n`).join("")}`;

test.each([
  ["command: sh -c 'apt-get update && apt-get install -y curl'", "4:14"],
  ["command: [sh, -c, 'cd /app && npm install && npm start']", "4:23"],
  ["command: pip install -r requirements.txt", "4:14"],
  ["entrypoint: bash -c 'curl -sSL https://get.example.io/x | sh'", "4:17"],
  ["command: wget -q http://download.example.io/a.tar", "4:14"],
  ["command: sh -c 'apk add --no-cache git; git clone x'", "4:14"],
])("%s", async (line, place) => {
  expect(places(await lintFiles(startCommands, service(line)))).toEqual([
    `compose.yaml:${place} warning network-at-start`,
  ]);
});

test("a token in the address is not shown", async () => {
  const [finding] = await lintFiles(
    startCommands,
    service("command: curl https://user:x9Tq2@files.example.io/a"),
  );
  expect(finding?.message).toContain("files.example.io");
  expect(finding?.message).not.toContain("x9Tq2");
});

test("a healthcheck that asks the internet", async () => {
  const found = await lintFiles(
    startCommands,
    service("healthcheck: {test: 'curl -f https://www.google.com'}"),
  );
  expect(places(found)).toEqual([expect.stringMatching(/^compose\.yaml:4:\d+ warning network-at-start$/)]);
});

test.each([
  "command: npm start",
  "command: curl http://db:8000/x http://localhost/ http://10.0.0.1/",
  "command: sh -c 'npm ci --offline && pip install --no-index -r r.txt'",
  "command: bench worker --queue install",
  "healthcheck: {test: 'curl -f http://localhost:8000/ping'}",
  "command: python git-clone.py --update apt",
])("%s is fine", async (line) => {
  expect(await lintFiles(startCommands, service(line))).toEqual([]);
});
