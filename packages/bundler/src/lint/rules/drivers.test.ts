import { expect, test } from "vitest";
import { lintFiles, places } from "../testing/lint-files.ts";
import { drivers } from "./drivers.ts";

const project = (rest: string, web = "image: a:1.0") => `services:\n  web:\n    ${web}\n${rest}`;

test.each([
  ["volumes:\n  d:\n    driver: rexray/ebs\n", "6:13 warning volume-driver"],
  [
    "volumes:\n  d:\n    driver_opts: {type: nfs, o: 'addr=10.0.0.1', device: ':/x'}\n",
    "6:25 warning volume-elsewhere",
  ],
  [
    "volumes:\n  d:\n    driver_opts: {type: none, o: bind, device: /srv/data}\n",
    "6:48 warning volume-elsewhere",
  ],
  ["networks:\n  n:\n    driver: weave\n", "6:13 warning network-driver"],
  ["networks:\n  n:\n    driver: macvlan\n", "6:13 info network-driver"],
])("%j", async (rest, place) => {
  expect(places(await lintFiles(drivers, project(rest)))).toEqual([`compose.yaml:${place}`]);
});

test("log drivers, once for all services that share the place", async () => {
  const text = `x-log: &log
  driver: fluentd
services:
  a: {image: a, logging: *log}
  b: {image: a, logging: *log}
  c: {image: a, logging: {driver: loki}}
`;
  const findings = await lintFiles(drivers, text);
  expect(places(findings)).toEqual([
    "compose.yaml:2:11 warning log-driver",
    "compose.yaml:6:35 warning log-driver",
  ]);
  expect(findings[0]?.message).toContain("services 'a' and 'b'");
});

test("what Docker brings is fine", async () => {
  const text = project(
    "volumes:\n  d: {driver: local}\n  e:\n  f: {external: true, driver: x}\n  t: {driver_opts: {type: tmpfs, device: tmpfs}}\nnetworks:\n  n: {driver: bridge}\n",
    "image: a:1.0\n    logging: {driver: json-file, options: {max-size: 1m}}",
  );
  expect(await lintFiles(drivers, text)).toEqual([]);
});
