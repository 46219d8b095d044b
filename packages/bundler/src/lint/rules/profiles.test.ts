import { expect, test } from "vitest";
import { lintFiles, places } from "../testing/lint-files.ts";
import { profiles } from "./profiles.ts";

const text = `services:
  web: {image: a:1.0}
  tool: {image: b:1.0, profiles: [debug]}
  other: {build: ., profiles: [one, two]}
`;

test("what the profiles that were not chosen would have needed", async () => {
  const findings = await lintFiles(profiles, text, { profiles: ["two"] });
  expect(places(findings)).toEqual(["compose.yaml:3:3 info profile-left-out"]);
  expect(findings[0]?.message).toContain("'b:1.0'");
});

test("nothing is left out where all are taken", async () => {
  expect(await lintFiles(profiles, text)).toEqual([]);
  expect(await lintFiles(profiles, text, { profiles: ["debug", "one"] })).toEqual([]);
});
