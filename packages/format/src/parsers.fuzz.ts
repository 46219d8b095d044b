import { expect, test } from "vitest";
import { parseChecksums } from "./checksums.ts";
import { parseManifest, serializeManifest } from "./parse-manifest.ts";
import { verifySshSignature } from "./signature/ssh-signature.ts";
import { parseTrustedSigners } from "./signature/trusted-signers.ts";
import { expectRefusal, flipIn, fuzz, mutateJson, type Random } from "./testing/fuzz.ts";
import { armored, testSigner } from "./testing/ssh-signer.ts";
import { tinyBundle } from "./testing/tiny-bundle.ts";

test("the manifest's parser refuses or understands, and never anything between", async () => {
  const original = JSON.parse(serializeManifest(tinyBundle().manifest).toString()) as unknown;
  await fuzz("the manifest's parser", (random) => {
    const value = structuredClone(original);
    for (let times = 1 + random(3); times > 0; times--) mutateJson(value, random);
    let bytes = Buffer.from(`${JSON.stringify(value, null, 2)}\n`);
    if (random(4) === 0) for (let times = 1 + random(3); times > 0; times--) flipIn(bytes, random);
    if (random(20) === 0) bytes = bytes.subarray(0, random(bytes.length));
    try {
      const manifest = parseManifest(bytes);
      const again = serializeManifest(manifest);
      // Fields that this version does not know are left out; then it says the same.
      expect(parseManifest(again)).toEqual(manifest);
      expect(serializeManifest(parseManifest(again)).equals(again)).toBe(true);
    } catch (error) {
      expectRefusal(error);
    }
  });
});

test("signatures, trusted keys and SHA256SUMS are refused or understood", async () => {
  const message = Buffer.from("message");
  const signers = [
    testSigner(),
    testSigner("sk-ssh-ed25519@openssh.com"),
    testSigner("sk-ecdsa-sha2-nistp256@openssh.com"),
  ];
  const signatures = signers.map((signer) => signer.sign(message));
  const sums = `${"0".repeat(64)}  a.tar\n${"1".repeat(64)} *b c\n`;
  await fuzz("signatures and lists", (random) => {
    const which = random(signatures.length);
    const text = signatures[which]?.toString() ?? "";
    const blob = Buffer.from(text.replace(/-----[A-Z ]+-----/g, ""), "base64");
    const original = Buffer.from(blob);
    for (let times = 1 + random(4); times > 0; times--) flipIn(blob, random);
    if (random(3) === 0) blob.writeUInt32BE(random(2 ** 32), random(blob.length - 4));
    const cut = random(5) === 0 ? blob.subarray(0, random(blob.length)) : blob;
    const attempts = [
      () => {
        verifySshSignature(message, armored(cut), "x.sig");
        // Flags and counter of a token are signed; nothing may differ.
        expect(cut.equals(original)).toBe(true);
      },
      () => parseTrustedSigners(mutateText(signers[which]?.publicKey ?? "", random), "keys", new Date(0)),
      () => parseChecksums(mutateText(sums, random)),
    ];
    for (const attempt of attempts) {
      try {
        attempt();
      } catch (error) {
        expectRefusal(error);
      }
    }
  });
});

function mutateText(text: string, random: Random): string {
  const bytes = Buffer.from(text);
  for (let times = 1 + random(4); times > 0; times--) flipIn(bytes, random);
  return bytes.toString(random(2) === 0 ? "utf8" : "latin1");
}
