import { expect, test } from "vitest";
import { lintFiles, places } from "../testing/lint-files.ts";
import { ports } from "./ports.ts";

const two = (a: string, b: string, extra = "") =>
  `services:\n  a:\n    image: a:1.0\n    ports: [${a}]\n  b:\n    image: a:1.0\n    ports: [${b}]\n${extra}`;

test.each([
  ["'80:80'", "'80:8080'", "7:13"],
  ["'80:80'", "'443:443', '0.0.0.0:80:80'", "7:24"],
  ["'8000-8010:8000-8010'", "'127.0.0.1:8005:80'", "7:13"],
  ["'53:53/udp'", "'53:53/udp'", "7:13"],
  ["'80:80'", "{target: 80, published: 80}", "7:13"],
])("%s and %s clash", async (a, b, place) => {
  expect(places(await lintFiles(ports, two(a, b)))).toEqual([
    `compose.yaml:${place} error port-published-twice`,
  ]);
});

test.each([
  ["'80:80'", "'81:80'"],
  ["'53:53/tcp'", "'53:53/udp'"],
  ["'127.0.0.1:80:80'", "'192.168.1.1:80:80'"],
  ["'80'", "'80'"],
])("%s and %s do not", async (a, b) => {
  expect(await lintFiles(ports, two(a, b))).toEqual([]);
});

test("a range from which Docker may choose is only warned about", async () => {
  expect(places(await lintFiles(ports, two("'8000-8010:80'", "'8000:80'")))).toEqual([
    "compose.yaml:7:13 warning port-published-twice",
  ]);
});

test("services that are never chosen together do not clash", async () => {
  const profile = (text: string, name: string) =>
    text.replace("image: a:1.0", `image: a:1.0\n    profiles: [${name}]`);
  const text = two("'80:80'", "'80:80'");
  const parts = text.split("  b:");
  const apart = `${profile(parts[0] ?? "", "cpu")}  b:${profile(parts[1] ?? "", "gpu")}`;
  expect(await lintFiles(ports, apart)).toEqual([]);
  expect(places(await lintFiles(ports, profile(text, "cpu")))).toEqual([
    "compose.yaml:8:13 warning port-published-twice",
  ]);
  expect(places(await lintFiles(ports, apart, { profiles: ["cpu", "gpu"] }))).toEqual([
    "compose.yaml:9:13 error port-published-twice",
  ]);
});

test("one service with itself, and with its copies", async () => {
  expect(places(await lintFiles(ports, "services:\n  a: {image: a, ports: ['80:80', '80:81']}\n"))).toEqual([
    "compose.yaml:2:34 error port-published-twice",
  ]);
  expect(places(await lintFiles(ports, "services:\n  a: {image: a, scale: 2, ports: ['80:80']}\n"))).toEqual([
    "compose.yaml:2:35 error port-published-twice",
  ]);
  expect(await lintFiles(ports, "services:\n  a: {image: a, scale: 2, ports: ['80-81:80']}\n")).toEqual([]);
});

test("ten thousand ports take no time", async () => {
  const startedMs = performance.now();
  expect(await lintFiles(ports, two("'10000-19999:10000-19999'", "'20000-29999:20000-29999'"))).toEqual([]);
  expect(performance.now() - startedMs).toBeLessThan(30_000);
});
