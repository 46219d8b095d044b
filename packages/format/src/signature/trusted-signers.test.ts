import { expect, test } from "vitest";
import { refusal } from "../testing/refusal.ts";
import { testSigner } from "../testing/ssh-signer.ts";
import { parseTrustedSigners } from "./trusted-signers.ts";

const KEY = testSigner().publicKey.split(" ").slice(0, 2).join(" ");
const NOW = new Date("2026-06-01T12:00:00Z");

test.each([
  ["a public key", `${KEY} jane@example.com`, "jane@example.com"],
  ["a public key without a comment", KEY, undefined],
  ["allowed_signers", `jane@example.com ${KEY}`, "jane@example.com"],
  ["with several principals", `jane@example.com,joe@example.com ${KEY}`, "jane@example.com,joe@example.com"],
  ["with options", `jane namespaces="git,dry*",valid-after=20260101,valid-before="20270101" ${KEY}`, "jane"],
  ["among comments", `# the team\n\n${KEY} jane\n`, "jane"],
])("reads %s", (_title, text, name) => {
  const [signer, ...others] = parseTrustedSigners(text, "keys", NOW);
  expect(`${signer?.keyType} ${signer?.base64}`).toBe(KEY);
  expect(signer?.name).toBe(name);
  expect(others).toEqual([]);
});

test.each([
  ["for another namespace", `jane namespaces="git" ${KEY}`],
  ["before its time", `jane valid-after="20260602" ${KEY}`],
  ["after its time", `jane valid-before="202606011159Z" ${KEY}`],
])("leaves out a key %s", async (_title, text) => {
  expect(await refusal(() => parseTrustedSigners(text, "keys", NOW))).toBe(
    "signers-invalid: keys has no key that may sign bundles now.",
  );
});

test.each([
  ["nothing", "", /has no key/],
  [
    "a private key",
    "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n",
    /Line 1 of keys is no public key/,
  ],
  [
    "a certificate authority",
    `jane cert-authority ${KEY}`,
    /option "cert-authority", which is not supported/,
  ],
  ["a restriction it does not know", `jane verify-required ${KEY}`, /not supported/],
  ["a type that the key does not have", `ssh-rsa ${KEY.split(" ")[1]}`, /another type than it says/],
  ["half a key", KEY.slice(0, 50), /ends early|no public key/],
])("refuses %s", async (_title, text, message) => {
  expect(await refusal(() => parseTrustedSigners(text, "keys", NOW))).toMatch(message);
});
