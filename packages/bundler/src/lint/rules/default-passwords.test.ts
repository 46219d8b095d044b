// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Compose syntax
import { expect, test } from "vitest";
import { lintFiles, places } from "../testing/lint-files.ts";
import { defaultPasswords } from "./default-passwords.ts";

const db = (environment: string, rest = "") =>
  `services:\n  db:\n    image: postgres:16.1\n    environment:\n      ${environment}\n${rest}`;

test.each([
  ["a literal", db("POSTGRES_PASSWORD: admin"), "compose.yaml:5:26"],
  ["a default", db("POSTGRES_PASSWORD: ${DB_PASSWORD:-123}"), "compose.yaml:5:26"],
  ["an item of a list", db("- POSTGRES_PASSWORD=changeme"), "compose.yaml:5:9"],
  [
    "the user's name",
    db("POSTGRES_USER: warehouse\n      POSTGRES_PASSWORD: warehouse"),
    "compose.yaml:6:26",
  ],
  ["an address", db("DATABASE_URL: postgres://app:secret@db/app"), "compose.yaml:5:21"],
  ["what an example says", db("API_TOKEN: <your-token>"), "compose.yaml:5:18"],
])("%s", async (_, text, place) => {
  const findings = await lintFiles(defaultPasswords, text);
  expect(places(findings)).toEqual([`${place} warning default-password`]);
});

test("a value of an env file is reported there, once for all who get it", async () => {
  const files = {
    "compose.yaml": db(
      "POSTGRES_PASSWORD: ${DB_PASSWORD:-x9Tq2vLp}",
      "  app:\n    image: a:1.0\n    environment: [DB_PASSWORD]\n",
    ),
    ".env": "TAG=1\nDB_PASSWORD=123\n",
  };
  // Compose fills in `[DB_PASSWORD]`; here, the other service shows it.
  const findings = await lintFiles(defaultPasswords, files);
  expect(places(findings)).toEqual([".env:2:13 warning default-password"]);
});

test("a service's own env file too", async () => {
  const files = {
    "compose.yaml": "services:\n  db:\n    image: postgres:16.1\n    env_file: db.env\n",
    "db.env": "# for the database\nPOSTGRES_PASSWORD=password\n",
  };
  const findings = await lintFiles(defaultPasswords, files, { serviceEnvFiles: ["db.env"] });
  expect(places(findings)).toEqual(["db.env:2:19 warning default-password"]);
});

test("options of commands, in one word or two", async () => {
  const text = `services:
  cache:
    image: redis:8.6
    command: ["redis-server", "--requirepass", "foobared"]
  setup:
    image: a:1.0
    command: bench new-site --scope='%' --admin-password=admin --db-root-username=root
`;
  expect(places(await lintFiles(defaultPasswords, text))).toEqual([
    "compose.yaml:4:31 warning default-password",
    "compose.yaml:7:14 warning default-password",
  ]);
});

test("no password at all", async () => {
  const text = db("- POSTGRES_HOST_AUTH_METHOD=trust\n      - MYSQL_ALLOW_EMPTY_PASSWORD=yes");
  expect(places(await lintFiles(defaultPasswords, text))).toEqual([
    "compose.yaml:5:9 warning no-password",
    "compose.yaml:6:9 warning no-password",
  ]);
});

test.each([
  ["a password of their own", "POSTGRES_PASSWORD: x9Tq2vLpQ7"],
  ["a variable of the site", "POSTGRES_PASSWORD: ${DB_PASSWORD:?}"],
  ["a file", "POSTGRES_PASSWORD_FILE: /run/secrets/admin"],
  ["a switch", "REQUIRE_PASSWORD: admin\n      MYSQL_ALLOW_EMPTY_PASSWORD: 'no'"],
  ["another name", "POSTGRES_USER: admin"],
])("%s is fine", async (_, environment) => {
  const found = await lintFiles(defaultPasswords, db(environment));
  expect(found.filter(({ message }) => !message.startsWith("POSTGRES_PASSWORD"))).toEqual([]);
  if (!environment.includes(":?")) expect(found).toEqual([]);
});

test("the password itself is never shown", async () => {
  const findings = await lintFiles(defaultPasswords, db("POSTGRES_PASSWORD: mysecretpassword"));
  expect(findings).toHaveLength(1);
  expect(JSON.stringify(findings)).not.toContain("mysecretpassword");
});
