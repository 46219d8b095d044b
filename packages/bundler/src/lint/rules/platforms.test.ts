import { expect, test } from "vitest";
import { lintFiles, places } from "../testing/lint-files.ts";
import { platforms } from "./platforms.ts";

const text = `services:
  a: {image: a, platform: linux/amd64}
  b: {image: a, platform: linux/arm64/v8}
  c: {image: a, platform: linux/amd64}
  d: {image: a}
`;

test("the odd ones out are named", async () => {
  const findings = await lintFiles(platforms, text);
  expect(places(findings)).toEqual(["compose.yaml:3:27 warning platform-differs"]);
  expect(findings[0]?.message).toBe(
    "Service 'b' asks for linux/arm64, while 'a' and 'c' ask for linux/amd64.",
  );
});

test("all that are not for the platform that is packed for", async () => {
  const platform = { os: "linux", architecture: "arm64" };
  expect(places(await lintFiles(platforms, text, { platform }))).toEqual([
    "compose.yaml:2:27 error platform-unfit",
    "compose.yaml:4:27 error platform-unfit",
  ]);
});

test("one platform, by whatever name, is fine", async () => {
  const same = "services:\n  a: {image: a, platform: linux/amd64}\n  b: {image: a, platform: linux/x86_64}\n";
  expect(await lintFiles(platforms, same)).toEqual([]);
  expect(await lintFiles(platforms, same, { platform: { os: "linux", architecture: "amd64" } })).toEqual([]);
});
