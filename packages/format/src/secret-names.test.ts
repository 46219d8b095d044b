import { describe, expect, test } from "vitest";
import { isGuessable, isSecretName, knownToken, urlCredentials } from "./secret-names.ts";

describe("names of secrets", () => {
  test.each([
    "DB_PASSWORD",
    "POSTGRES_PASSWORD",
    "password",
    "PGPASSWORD",
    "MYSQL_ROOT_PASSWORD",
    "adminPassword",
    "REDIS_PASS",
    "API_KEY",
    "SECRET_KEY_BASE",
    "JWT_SECRET",
    "AWS_SECRET_ACCESS_KEY",
    "GITHUB_TOKEN",
    "admin-password",
    "AUTH_SALT",
  ])("%s", (name) => {
    expect(isSecretName(name)).toBe(true);
  });

  test.each([
    "DB_PASSWORD_FILE",
    "PASSWORD_MIN_LENGTH",
    "MYSQL_ALLOW_EMPTY_PASSWORD",
    "PUBLIC_KEY",
    "KEY",
    "MONKEY",
    "KEYCLOAK_REALM",
    "TOKEN_EXPIRY",
    "BYPASS",
    "COMPASS",
    "SSH_KEY_PATH",
    "ENABLE_RESET_PASSWORD",
    "SORT_KEY",
  ])("not %s", (name) => {
    expect(isSecretName(name)).toBe(false);
  });
});

describe("passwords that everybody tries", () => {
  test.each([
    "123",
    "admin",
    "changeme",
    "CHANGE_ME",
    "change-this-please",
    "password1",
    "postgres",
    "root",
    "mysecretpassword",
    "your-secret-key",
    "<password>",
    "aaaaaaaa",
    "x",
    "replace_me",
    "some_password",
    "todo",
  ])("%s", (value) => {
    expect(isGuessable(value)).toBe(true);
  });

  test.each([
    "",
    "true",
    "none",
    "/run/secrets/db",
    "$VAR",
    "x9Tq2vLpQ7",
    "correct horse battery staple",
    "{{ token }}",
  ])("not %s", (value) => {
    expect(isGuessable(value)).toBe(false);
  });

  test("the user's own name", () => {
    expect(isGuessable("warehouse", ["Warehouse"])).toBe(true);
  });
});

test("addresses with a password in them", () => {
  expect(
    urlCredentials("a https://u:p1@h.example/x, b://:pw@c:1, https://u:${P}@h, http://h:80/a@b, ssh://git@h"),
  ).toEqual([
    { scheme: "https", user: "u", password: "p1", host: "h.example" },
    { scheme: "b", user: "", password: "pw", host: "c" },
  ]);
});

test.each(["disk-0123456789abcdef0123456789abcdef", "eyJhbGciOiJIUzI1NiJ9", "AKIAshort", "ghp_short"])(
  "%s is no token",
  (text) => {
    expect(knownToken(text)).toBeUndefined();
  },
);

test.each([
  ["a_".repeat(50_000), "names"],
  [`${"your_".repeat(20_000)}x`, "placeholders"],
  [`${"a-".repeat(100_000)}://`, "addresses"],
  [`https://${"a:".repeat(50_000)}`, "credentials"],
])("long texts take no time", (text) => {
  const startedMs = performance.now();
  isSecretName(text);
  isGuessable(text);
  knownToken(text);
  urlCredentials(text);
  expect(performance.now() - startedMs).toBeLessThan(10_000);
});
