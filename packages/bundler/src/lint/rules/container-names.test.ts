import { expect, test } from "vitest";
import { lintFiles, places } from "../testing/lint-files.ts";
import { containerNames } from "./container-names.ts";

test("two services with one name", async () => {
  const text =
    "services:\n  a: {image: a, container_name: the-app}\n  b: {image: a, container_name: the-app}\n";
  expect(places(await lintFiles(containerNames, text))).toEqual([
    "compose.yaml:3:33 error container-name-clash",
  ]);
});

test.each(["scale: 2", "deploy: {replicas: 3}"])("one name for several containers: %s", async (line) => {
  const text = `services:\n  a:\n    image: a\n    container_name: the-app\n    ${line}\n`;
  expect(places(await lintFiles(containerNames, text))).toEqual([
    "compose.yaml:4:21 error container-name-clash",
  ]);
});

test("names of their own are fine", async () => {
  const text =
    "services:\n  a: {image: a, container_name: one, scale: 1}\n  b: {image: a, container_name: two}\n  c: {image: a}\n";
  expect(await lintFiles(containerNames, text)).toEqual([]);
});
