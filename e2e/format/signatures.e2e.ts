import { appendFile, cp, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectImages, HelloGap, type Packed } from "../support/pack-hello.ts";
import { DRYBAG, FIXTURES } from "../support/paths.ts";
import type { ProgramRun } from "../support/run-programs.ts";

/** Packed by an engine with a containerd store, which gives layers as their registry had them: the others pack on a classic one. */
let gap: HelloGap;
let work: string;
let keys: { private: string; public: string; other: string };
let whole: Packed;

beforeAll(async () => {
  gap = await HelloGap.open("signatures", {
    connected: { imageStore: "containerd" },
    site: { imageStore: "classic" },
    sites: [{ name: "modern", imageStore: "containerd" }],
  });
  ({ work } = gap);
  const [jane, mallory] = [await gap.makeKey("jane"), await gap.makeKey("mallory")];
  keys = { private: jane, public: `${jane}.pub`, other: `${mallory}.pub` };
  whole = await gap.packHello("whole", ["--sign", keys.private]);
});

afterAll(() => gap?.[Symbol.asyncDispose]());

describe("a bundle from an engine with a containerd store", () => {
  test("keeps layers as they came, with the digests that their registry knows", () => {
    const kinds = whole.manifest.layers.map(({ mediaType }) => mediaType.replace(/^.*tar/, ""));
    expect(new Set(kinds)).toEqual(new Set(["+gzip"]));
  });

  test.each(["site", "modern"])("is loaded by the engine '%s'", async (name) => {
    const site = gap.siteNamed(name);
    await site.docker(["load", "--input", whole.tar]);
    await expectImages(site, whole.manifest);
  });

  test("is recompressed on request, and packed again from the cache to the same bytes", async () => {
    const small = await gap.packHello("small", ["--recompress"]);
    for (const { mediaType } of small.manifest.layers) expect(mediaType).toMatch(/\+zstd$/);
    expect(small.manifest.images.map(({ configDigest }) => configDigest)).toEqual(
      whole.manifest.images.map(({ configDigest }) => configDigest),
    );
    const again = await gap.packHello("small-again", ["--recompress"]);
    await execa("cmp", [small.tar, again.tar]);
  });
});

describe("signatures", () => {
  const verify = (directory: string, ...args: string[]) =>
    gap.drybag(["verify", directory, "--json", ...args]);
  const codes = ({ stdout }: ProgramRun) =>
    (JSON.parse(stdout) as { findings: { code: string; severity: string }[] }).findings.map(
      ({ code }) => code,
    );

  test("tell who signed, and are required on demand", async () => {
    const run = await verify(whole.directory, "--key", keys.public);
    expect(run.exitCode).toBe(0);
    const { stdout } = await execa("ssh-keygen", ["-lf", keys.public]);
    expect(JSON.parse(run.stdout)).toMatchObject({
      whole: true,
      signer: { fingerprint: stdout.split(" ")[1] },
    });
    const other = await verify(whole.directory, "--key", keys.other);
    expect([other.exitCode, codes(other)]).toEqual([5, ["signer-unknown"]]);
    const plain = await gap.packHello("unsigned");
    const unsigned = await verify(plain.directory, "--key", keys.public);
    expect([unsigned.exitCode, codes(unsigned)]).toEqual([5, ["signature-missing"]]);
  });

  test.each<[string, (copy: string) => Promise<void>, string]>([
    ["stripped", (copy) => rm(path.join(copy, "SHA256SUMS.sig")), "signature-missing"],
    [
      "of another bundle",
      async (copy) => {
        const other = await gap.packHello("other-version", [
          "--sign",
          keys.private,
          "--bundle-version",
          "0.9",
        ]);
        await cp(path.join(other.directory, "SHA256SUMS.sig"), path.join(copy, "SHA256SUMS.sig"));
      },
      "signature-foreign",
    ],
    ["over other sums", (copy) => appendFile(path.join(copy, "SHA256SUMS"), "\n"), "checksums-invalid"],
    [
      "whose installer was replaced together with its sum",
      async (copy) => {
        await appendFile(path.join(copy, "install.sh"), "evil\n");
        const { stdout } = await execa("sh", ["-c", "grep -v install.sh SHA256SUMS; sha256sum install.sh"], {
          cwd: copy,
        });
        await writeFile(path.join(copy, "SHA256SUMS"), `${stdout}\n`);
      },
      "signature-foreign",
    ],
  ])("%s: refused", async (_title, forge, code) => {
    const copy = path.join(work, "forged");
    await rm(copy, { recursive: true, force: true });
    await cp(whole.directory, copy, { recursive: true });
    await forge(copy);
    const run = await verify(copy);
    expect(run.exitCode).toBe(5);
    expect(codes(run)).toContain(code);
  });

  test("a key with a passphrase and nobody to ask is refused at once, one in an agent signs", async () => {
    const secret = path.join(work, "secret");
    await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "opensesame", "-f", secret]);
    const refused = await gap.drybag(["pack", "--json", "--sign", secret, "-o", path.join(work, "agent")]);
    expect(refused.exitCode).toBe(6);
    expect(JSON.parse(refused.stdout)).toMatchObject({ error: { code: "signing-failed" } });
    const script = `eval "$(ssh-agent)" >/dev/null; trap 'kill $SSH_AGENT_PID' EXIT
      printf '#!/bin/sh\\necho opensesame\\n' >"$1/ask"; chmod 700 "$1/ask"
      SSH_ASKPASS="$1/ask" SSH_ASKPASS_REQUIRE=force ssh-add -q "$1/secret" </dev/null
      "$2" "$3" pack --json --sign "$1/secret.pub" --bundle-version 1.0 -o "$1/agent"`;
    const { stdout } = await execa("sh", ["-euc", script, "sh", work, process.execPath, DRYBAG], {
      cwd: path.join(FIXTURES, "hello"),
      env: { ...gap.connected.env, XDG_CACHE_HOME: path.join(work, "cache") },
    });
    const { directory } = JSON.parse(stdout) as { directory: string };
    expect((await verify(directory, "--key", `${secret}.pub`)).exitCode).toBe(0);
  });
});
