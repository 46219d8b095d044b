import { expect, test } from "vitest";
import { isPublicHost } from "../egress.ts";
import { lintFiles, places } from "../testing/lint-files.ts";
import { remoteServices } from "./remote-services.ts";

const service = (...lines: string[]) => `services:\n  s:\n${lines.map((line) => `    ${line}\n`).join("")}`;

test.each([
  ["environment: {SENTRY_DSN: 'https://abc@errors.acme.io/1'}", "4:31 info reaches-outside"],
  ["environment: ['SMTP_HOST=smtp.web.de']", "4:19 info reaches-outside"],
  ["environment: {API: 'https://api.openai.com/v1'}", "4:24 info reaches-outside"],
  ["dns: [8.8.8.8, 10.0.0.1]", "4:11 warning public-address"],
  ["extra_hosts: ['a:93.184.216.34']", "4:19 warning public-address"],
])("%s", async (line, place) => {
  expect(places(await lintFiles(remoteServices, service("image: a:1.0", line)))).toEqual([
    `compose.yaml:${place}`,
  ]);
});

test("an image of no use without the internet", async () => {
  expect(places(await lintFiles(remoteServices, service("image: containrrr/watchtower:1.7.1")))).toEqual([
    "compose.yaml:3:12 warning needs-internet",
  ]);
});

test.each([
  "environment: {SITE: 'https://erp.acme.io', SMTP_HOST: mail, DB: 'postgres://db/x', HOST: mail.plant.local}",
  "dns: [10.0.0.53]",
  "extra_hosts: ['host.docker.internal:host-gateway', 'plc:192.168.1.5']",
])("%s is fine", async (line) => {
  expect(await lintFiles(remoteServices, service("image: a:1.0", line))).toEqual([]);
});

test.each([
  ["example.io", true],
  ["8.8.8.8", true],
  ["db", false],
  ["10.1.2.3", false],
  ["172.20.0.1", false],
  ["server.lan", false],
  ["www.example.com", false],
  ["1.2.3", false],
])("%s is of the internet: %s", (host, expected) => {
  expect(isPublicHost(host)).toBe(expected);
});
