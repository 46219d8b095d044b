import { expect, test } from "vitest";
import { Redactor } from "./redact.ts";

const SECRET = 'p"a$s/wörd';
const redactor = () => new Redactor({ values: [SECRET, "ab"], names: ["PIN"] });

test.each([
  ["as it is", `connecting with ${SECRET} now`, "connecting with (hidden) now"],
  ["in JSON", `{"x":${JSON.stringify(SECRET)}}`, '{"x":"(hidden)"}'],
  ["in an env file", 'X="p\\"a\\$s/wörd"', 'X="(hidden)"'],
  ["as Compose shows it", `x: 'p"a$$s/wörd'`, "x: '(hidden)'"],
  ["in an address", `q=${encodeURIComponent(SECRET)}&r=1`, "q=(hidden)&r=1"],
  ["in base64", `auth ${Buffer.from(SECRET).toString("base64")}`, "auth (hidden)"],
])("a known secret is hidden: %s", (_, text, shown) => {
  expect(redactor().line(text)).toBe(shown);
});

test.each([
  ["DB_PASSWORD=one two three", "DB_PASSWORD=(hidden)"],
  ["      MYSQL_ROOT_PASSWORD: hunter22", "      MYSQL_ROOT_PASSWORD: (hidden)"],
  ['  "apiKey": "x1y2z3",', '  "apiKey": (hidden),'],
  ["      - DB_PASSWORD=x1y2", "      - DB_PASSWORD=(hidden)"],
  ['"Env":["A=1","DB_PASSWORD=abc","B=2"]', '"Env":["A=1","DB_PASSWORD=(hidden)","B=2"]'],
  ["login user=x password=y1z2, retry=3", "login user=x password=(hidden), retry=3"],
  ["PIN=12", "PIN=(hidden)"],
  ["mysqld --root-password hunter22 --port 3306", "mysqld --root-password (hidden) --port 3306"],
  ['["mysqld","--password","hunter22"]', '["mysqld","--password","(hidden)"]'],
  ["redis://user:pa55@cache:6379/0", "redis://user:(hidden)@cache:6379/0"],
  ["token ghp_0123456789012345678901234567890123 used", "token (hidden) used"],
  ["key: -----BEGIN PRIVATE KEY-----\\nMIIE\\n-----END PRIVATE KEY----- end", "key: (hidden) end"],
])("what a name or a shape gives away is hidden: %s", (text, shown) => {
  expect(redactor().line(text)).toBe(shown);
});

test.each([
  "DB_PASSWORD_FILE=/run/secrets/db",
  "DB_PASSWORD: ${DB_PASSWORD}",
  "PASSWORD_RESET_ENABLED=true",
  "password: null",
  "grab a cab",
  "2026-01-01T10:00:00Z GET /api/method/ping 200",
])("the rest stays as it is: %s", (text) => {
  expect(redactor().line(text)).toBe(text);
});

test("the lines of a private key are hidden, and what follows is shown", () => {
  const each = redactor();
  const lines = [
    "a",
    "-----BEGIN OPENSSH PRIVATE KEY-----",
    "b3BlbnNz",
    "-----END OPENSSH PRIVATE KEY-----",
    "z",
  ];
  expect(lines.map((line) => each.line(line))).toEqual(["a", "(hidden)", "(hidden)", "(hidden)", "z"]);
});
