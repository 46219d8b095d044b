import { expect, test } from "vitest";
import { diagnoseBuild } from "./diagnose-build.ts";

test.each([
  ["fatal: Remote branch v15.99.0 not found in upstream upstream", /tag or branch v15\.99\.0 does not exist/],
  [
    "remote: Repository not found.\nfatal: repository 'https://github.com/a/b/' not found",
    /app https:\/\/github\.com\/a\/b was not found/,
  ],
  [
    "fatal: could not read Username for 'https://github.com': terminal prompts disabled",
    /https:\/\/github\.com is private/,
  ],
  ["fatal: Authentication failed for 'https://x:y@git.example/a.git/'", /git\.example\/a\.git is private/],
  ["git@github.com: Permission denied (publickey).", /over SSH/],
  [
    'error frappe-ui@0.1: The engine "node" is incompatible with this module. Expected version ">=20". Got "18.18.2"',
    /Node version 18\.18\.2 does not suit an app, which wants >=20/,
  ],
  [
    "ERROR: Package 'erpnext' requires a different Python: 3.10.1 not in '>=3.11'",
    /Python version 3\.10\.1 .* wants >=3\.11/,
  ],
  ["ModuleNotFoundError: No module named 'erpnext'", /module erpnext is missing/],
  ["Error: Cannot find module 'esbuild'", /module esbuild is missing/],
  ["fatal: unable to access 'https://x/': Could not resolve host: x", /cannot reach x/],
  ["write /var/lib/x: no space left on device", /disk is full/],
  [
    "failed to solve: frappe/build:v9: failed to resolve source metadata for docker.io/frappe/build:v9: not found",
    /image docker\.io\/frappe\/build:v9/,
  ],
  [
    'failed to calculate checksum of ref a::b: "/apps.json": not found',
    /file \/apps\.json is not in the build's context/,
  ],
])("%s", (text, cause) => {
  const diagnosis = diagnoseBuild(text);
  expect(diagnosis?.cause).toMatch(cause);
  expect(diagnosis?.cause).not.toMatch(/x:y@/);
  expect(diagnosis?.remedy).toMatch(/\w/);
});

test("what is not known is not guessed", () => {
  expect(diagnoseBuild("make: *** [all] Error 2")).toBeUndefined();
});
