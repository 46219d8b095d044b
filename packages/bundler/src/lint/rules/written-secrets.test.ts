// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Compose syntax
import { expect, test } from "vitest";
import { lintFiles, places } from "../testing/lint-files.ts";
import { writtenSecrets } from "./written-secrets.ts";

// Put together here, so that no scanner takes this file for a leak.
const token = `ghp_${"a1B2".repeat(9)}`;
const shapes = {
  GitHub: token,
  "fine-grained GitHub": `github_pat_${"a1B2".repeat(9)}`,
  GitLab: `glpat-${"a1B2".repeat(5)}`,
  AWS: `AKIA${"A1B2".repeat(4)}`,
  "a JSON web token": `eyJ${"a1B2".repeat(5)}.eyJ${"c3D4".repeat(5)}.${"e5F6".repeat(5)}`,
};

const web = (line: string) => `services:\n  web:\n    image: a:1.0\n    ${line}\n`;

test.each(Object.entries(shapes))(
  "a token of %s is known by its shape, wherever it stands",
  async (_, secret) => {
    for (const line of [
      `command: login ${secret}`,
      `labels: [x=${secret}]`,
      `build: {context: ., args: {X: ${secret}}}`,
    ]) {
      const findings = await lintFiles(writtenSecrets, web(line));
      expect(places(findings)).toEqual([
        expect.stringMatching(/^compose\.yaml:4:\d+ warning token-in-file$/),
      ]);
      expect(JSON.stringify(findings)).not.toContain(secret.slice(0, 16));
    }
  },
);

test("a password or token in an address", async () => {
  const line =
    "environment:\n      REPO: https://ci:x9Tq2vLpQ7@git.example.com/a.git\n      DB: postgres://app:${PASSWORD}@db/app";
  const findings = await lintFiles(writtenSecrets, web(line));
  expect(places(findings)).toEqual(["compose.yaml:5:13 warning credentials-in-url"]);
  expect(JSON.stringify(findings)).not.toContain("x9Tq2");
});

test("a private key", async () => {
  const begin = `-----BEGIN ${"RSA"} PRIVATE KEY-----`;
  const text = `configs:\n  key:\n    content: |\n      ${begin}\n      abc\nservices: {}\n`;
  expect(places(await lintFiles(writtenSecrets, text))).toEqual(["compose.yaml:3:14 warning private-key"]);
});

test("a secret in the Compose file, and one in an env file", async () => {
  const files = {
    "compose.yaml": web("environment: {API_KEY: x9Tq2vLpQ7, TOKEN: '${T}'}"),
    ".env": "A=1\nT_SECRET=x9Tq2vLpQ7\n",
  };
  const findings = await lintFiles(writtenSecrets, files);
  expect(places(findings)).toEqual([
    "compose.yaml:4:28 warning secret-in-file",
    ".env:2:10 info secret-in-file",
  ]);
  expect(JSON.stringify(findings)).not.toContain("x9Tq2");
});

test("a build argument, even by a variable", async () => {
  const line =
    "build:\n      context: .\n      args:\n        APPS_JSON_BASE64: ${APPS}\n        NPM_TOKEN: $NPM_TOKEN\n        VERSION: 15";
  expect(places(await lintFiles(writtenSecrets, web(line)))).toEqual([
    "compose.yaml:7:27 warning secret-in-build-arg",
    "compose.yaml:8:20 warning secret-in-build-arg",
  ]);
});

test.each([
  "environment: {POSTGRES_PASSWORD_FILE: /run/secrets/db, TOKEN: /run/token, SECRET_KEY: '${KEY}'}",
  "environment: {PASSWORD_MIN_LENGTH: '12', PUBLIC_KEY: abcdefghijkl, KEYCLOAK_REALM: warehouse, MONKEY: abcdefghijk}",
  "environment: {URL: 'https://example.com/@user', MAIL: 'a@b.example', X: 'http://web:8000/a@b'}",
  "command: task-runner --skip-tests ask-0123456789",
])("%s is fine", async (line) => {
  expect(await lintFiles(writtenSecrets, web(line))).toEqual([]);
});
