import { expect, test } from "vitest";
import { lintFiles, places } from "../testing/lint-files.ts";
import { pullPolicies } from "./pull-policies.ts";

test("pull policies, once for all services that share the place", async () => {
  const text = `x-a: &a
  pull_policy: always
services:
  a: {image: a, <<: *a}
  b: {image: a, <<: *a}
  c: {image: a, pull_policy: if_not_present}
  d: {image: a, pull_policy: every_12h}
`;
  expect(places(await lintFiles(pullPolicies, text))).toEqual([
    "compose.yaml:2:16 info pull-policy",
    "compose.yaml:7:30 info pull-policy",
  ]);
});
