// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Compose syntax
import { expect, test } from "vitest";
import { lintFiles, places } from "../testing/lint-files.ts";
import { variables } from "./variables.ts";

test("a variable that must have a value is asked for on site", async () => {
  const text =
    "services:\n  web:\n    image: a:1.0\n    environment:\n      KEY: x-${KEY:?needed}\n      AGAIN: $KEY\n";
  expect(places(await lintFiles(variables, text))).toEqual(["compose.yaml:5:12 info setting-asked"]);
});

test("unless it chooses an image or a file", async () => {
  const text =
    "services:\n  web:\n    environment:\n      TAG: ${TAG:?}\n      KEY: ${KEY:?}\n    image: a:${TAG:?}\n";
  expect(places(await lintFiles(variables, text, { decisive: true }))).toEqual([
    "compose.yaml:6:12 error setting-missing",
    "compose.yaml:5:12 info setting-asked",
  ]);
});

test("a variable with neither value nor default is told of once, where it is first written", async () => {
  const text =
    "services:\n  web:\n    image: a:1.0\n    command: run $MISSING\n    environment: ['A=${MISSING}', 'B=${OTHER:+${MISSING}}']\n";
  expect(places(await lintFiles(variables, text))).toEqual(["compose.yaml:4:14 warning variable-empty"]);
});

test.each([
  ["a value", "${SET}"],
  ["an empty value", "${EMPTY}"],
  ["a default", "${UNSET:-x}"],
  ["an empty default", "${UNSET-}"],
  ["a default that is not needed", "${SET:-$UNSET}"],
  ["an alternative", "${UNSET:+x}"],
  ["a dollar sign", "$$UNSET and $${UNSET}"],
])("%s is fine", async (_, written) => {
  const files = {
    "compose.yaml": `services:\n  web:\n    image: a:1.0\n    command: "${written}"\n`,
    ".env": "SET=1\nEMPTY=\n",
  };
  expect(await lintFiles(variables, files)).toEqual([]);
});
