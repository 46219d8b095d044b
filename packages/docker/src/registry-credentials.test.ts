import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readRegistryCredentials } from "./registry-credentials.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "drybag-credentials-"));
});
afterEach(() => rm(folder, { recursive: true }));

const ada = { username: "ada", password: "s:cret" };
const auth = Buffer.from("ada:s:cret").toString("base64");

async function read(registry: string, config: unknown, env: Record<string, string> = {}) {
  await writeFile(
    path.join(folder, "config.json"),
    typeof config === "string" ? config : JSON.stringify(config),
  );
  return readRegistryCredentials(
    { env: { PATH: `${folder}:/usr/bin:/bin`, DOCKER_CONFIG: folder, ...env } },
    registry,
  );
}

/** A helper that answers one server and knows no other, as the real ones do. */
async function writeHelper(name: string, server: string, answer: object) {
  const script = `#!/bin/sh
[ "$1" = get ] || exit 2
read -r server
[ "$server" = '${server}' ] || { echo credentials not found in native keychain; exit 1; }
echo '${JSON.stringify(answer)}'
`;
  await writeFile(path.join(folder, `docker-credential-${name}`), script, { mode: 0o755 });
}

test.each([
  ["ghcr.io", { auths: { "ghcr.io": { auth } } }],
  ["ghcr.io", { auths: { "https://ghcr.io/v1/": { auth } } }],
  ["docker.io", { auths: { "https://index.docker.io/v1/": { auth } } }],
  ["localhost:5000", { auths: { "localhost:5000": ada } }],
])("%s from %j", async (registry, config) => {
  expect(await read(registry, config)).toEqual(ada);
});

test("one host's credentials are for no other host", async () => {
  const auths = { "ghcr.io": { auth }, "ghcr.io.example": {} };
  for (const registry of ["ghcr.io.example", "ghcr.i", "docker.io", "localhost:5000"])
    expect(await read(registry, { auths })).toBeUndefined();
});

test("an identity token", async () => {
  const config = { auths: { "reg.example": { auth, identitytoken: "t" } } };
  expect(await read("reg.example", config)).toEqual({ identityToken: "t" });
});

test("a helper of the registry, before the store of all others", async () => {
  await writeHelper("one", "reg.example", { Username: "ada", Secret: "one" });
  await writeHelper("all", "https://index.docker.io/v1/", { Username: "<token>", Secret: "all" });
  const config = { credHelpers: { "reg.example": "one" }, credsStore: "all" };
  expect(await read("reg.example", config)).toEqual({ username: "ada", password: "one" });
  expect(await read("docker.io", config)).toEqual({ identityToken: "all" });
  expect(await read("other.example", config)).toBeUndefined();
});

test.each([["missing"], ["../evil"], ["/bin/sh"]])(
  "the helper '%s': the registry is asked as anybody",
  async (helper) => {
    expect(await read("reg.example", { credsStore: helper })).toBeUndefined();
  },
);

test("what a helper does not know may stand in the file", async () => {
  await writeHelper("one", "reg.example", {});
  expect(await read("ghcr.io", { credsStore: "one", auths: { "ghcr.io": { auth } } })).toEqual(ada);
});

test("the environment wins over the file", async () => {
  const DOCKER_AUTH_CONFIG = JSON.stringify({ auths: { "ghcr.io": { auth } } });
  expect(await read("ghcr.io", {}, { DOCKER_AUTH_CONFIG })).toEqual(ada);
});

test("a config.json that is no JSON is told; none is no error", async () => {
  await expect(read("ghcr.io", "{")).rejects.toMatchObject({ code: "file-unreadable" });
  await mkdir(path.join(folder, "empty"));
  const env = { DOCKER_CONFIG: path.join(folder, "empty") };
  expect(await readRegistryCredentials({ env }, "ghcr.io")).toBeUndefined();
});
