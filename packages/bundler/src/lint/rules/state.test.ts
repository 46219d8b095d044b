import { expect, test } from "vitest";
import { lintFiles, places } from "../testing/lint-files.ts";
import { state } from "./state.ts";

const service = (image: string, ...lines: string[]) =>
  `services:\n  s:\n    image: ${image}\n${lines.map((line) => `    ${line}\n`).join("")}`;

test.each([
  ["mariadb:11.8", ["environment: {A: b}"]],
  ["docker.io/library/postgres:16", ["volumes: [init:/docker-entrypoint-initdb.d]"]],
  ["redis:8.6", ["command: redis-server --appendonly yes"]],
  ["minio/minio:x", ["command: server /data --console-address :9001"]],
  ["mongo:7.0", ["volumes: [/data/configdb]"]],
])("%s without a volume for its data", async (image, lines) => {
  const findings = await lintFiles(state, service(image, ...lines));
  expect(places(findings)[0]).toBe("compose.yaml:3:12 warning state-without-volume");
});

test.each([
  ["mariadb:11.8", "volumes: [data:/var/lib/mysql]"],
  ["postgres:16", "volumes: ['./data:/var/lib/postgresql/data']"],
  ["postgres:16", "volumes: [data:/elsewhere]\n    environment: {PGDATA: /elsewhere/pg}"],
  ["postgres:16", "tmpfs: /var/lib/postgresql/data"],
  ["postgres:16", "volumes_from: [other]"],
  ["redis:8.6", "command: redis-server"],
  ["example/mysql-exporter:1", "restart: always"],
  ["linuxserver/mariadb:11", "volumes: [data:/config]"],
])("%s with %s is fine", async (image, line) => {
  expect(await lintFiles(state, service(image, line))).toEqual([]);
});

test("a volume without a name, but for what is made anew anyway", async () => {
  const text = service(
    "a:1.0",
    "volumes:",
    "  - /app/node_modules",
    "  - /srv/data",
    "  - {type: volume, target: /srv/more}",
    "  - data:/ok",
  );
  expect(places(await lintFiles(state, text))).toEqual([
    "compose.yaml:6:9 warning anonymous-volume",
    "compose.yaml:7:32 warning anonymous-volume",
  ]);
});
