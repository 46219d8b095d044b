import type { Setting } from "@drybag/format";
import { expect, test } from "vitest";
import { generateSecret, withGeneratedSecrets } from "./generate-secret.ts";

const password: Setting = { name: "DB_PASSWORD", required: true, secret: true };
const host: Setting = { name: "HOST", required: true, secret: false };
const pin: Setting = { name: "PIN", required: true, secret: true, pattern: "[0-9]{4}" };

test("secrets are long, fit every place, and are never the same", () => {
  const secrets = Array.from({ length: 50 }, () => generateSecret(password));
  for (const secret of secrets) expect(secret).toMatch(/^[A-Za-z0-9]{32}$/);
  expect(new Set(secrets).size).toBe(50);
});

test("nothing is made up for what is no secret, or has a form of its own", () => {
  expect(generateSecret(host)).toBeUndefined();
  expect(generateSecret(pin)).toBeUndefined();
});

test("only what is missing is made up", () => {
  const answers = new Map([["OTHER_SECRET", "kept"]]);
  const filled = withGeneratedSecrets({ answers, missing: [password, host, pin] });
  expect([...filled.answers.keys()]).toEqual(["OTHER_SECRET", "DB_PASSWORD"]);
  expect(filled.answers.get("OTHER_SECRET")).toBe("kept");
  expect(filled.missing).toEqual([host, pin]);
});
