import { describe, expect, test } from "vitest";
import { refusal } from "../testing/refusal.ts";
import golden from "../testing/ssh-keygen-signatures.json" with { type: "json" };
import { armored, type TestKeyType, testSigner } from "../testing/ssh-signer.ts";
import { verifySshSignature } from "./ssh-signature.ts";

/** What OpenSSH 9.2 signed, with keys that are gone. */
const MESSAGE = Buffer.from("the message\n");

describe.each(Object.entries(golden))(
  "a signature that ssh-keygen made with %s",
  (_name, { publicKey, signature }) => {
    test("is verified, and its key told", () => {
      const signer = verifySshSignature(MESSAGE, Buffer.from(signature), "x.sig");
      expect(`${signer.keyType} ${signer.base64}`).toBe(publicKey);
      expect(signer.fingerprint).toMatch(/^SHA256:[A-Za-z0-9+/]{43}$/);
    });

    test("is refused over another message", async () => {
      expect(
        await refusal(() => verifySshSignature(Buffer.from("another"), Buffer.from(signature), "x.sig")),
      ).toMatch(/^signature-foreign: x\.sig is not over these bytes/);
    });

    test("is refused with any bit flipped", async () => {
      const blob = blobOf(signature);
      // Every bit of what gives the form, one of each byte of the numbers.
      for (let bit = 0; bit < blob.length * 8; bit += bit < 1200 ? 1 : 7) {
        const flipped = Buffer.from(blob);
        flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const message = await refusal(() => verifySshSignature(MESSAGE, armored(flipped), "x.sig"));
        expect(message, `bit ${bit}`).toMatch(/^signature-(invalid|foreign): /);
      }
    });

    test("is refused cut anywhere, or with more behind it", async () => {
      const blob = blobOf(signature);
      for (let length = 0; length < blob.length; length++) {
        const message = await refusal(() =>
          verifySshSignature(MESSAGE, armored(blob.subarray(0, length)), "x"),
        );
        expect(message, `${length} bytes`).toMatch(/^signature-invalid: /);
      }
      const longer = armored(Buffer.concat([blob, Buffer.from([0])]));
      expect(await refusal(() => verifySshSignature(MESSAGE, longer, "x"))).toMatch(/goes on after its end/);
    });
  },
);

test("a fingerprint is the one that ssh-keygen -l shows", () => {
  const signer = verifySshSignature(MESSAGE, Buffer.from(golden.ed25519.signature), "x");
  expect(signer.fingerprint).toBe("SHA256:dLEDPXotK9boEcmjDrLM0Yr4TabcopJLrW9s1ZCYGUM");
});

test.each<TestKeyType>(["ssh-ed25519", "sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com"])(
  "a signature of a key of the type %s is verified, and refused when a bit of it flips",
  async (keyType) => {
    const signer = testSigner(keyType);
    const signature = signer.sign(MESSAGE);
    expect(verifySshSignature(MESSAGE, signature, "x").keyType).toBe(keyType);
    const blob = blobOf(signature.toString());
    for (let bit = 0; bit < blob.length * 8; bit++) {
      const flipped = Buffer.from(blob);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(await refusal(() => verifySshSignature(MESSAGE, armored(flipped), "x")), `bit ${bit}`).not.toBe(
        "not refused",
      );
    }
  },
);

test("a signature for something else than bundles is refused", async () => {
  const signature = testSigner().sign(MESSAGE, "git");
  expect(await refusal(() => verifySshSignature(MESSAGE, signature, "x.sig"))).toBe(
    'signature-invalid: x.sig was made for "git", not for "drybag".',
  );
});

test.each([
  "",
  "x",
  "-----BEGIN SSH SIGNATURE-----",
  "-----BEGIN SSH SIGNATURE-----\n\n-----END SSH SIGNATURE-----\n",
])("what is no signature is refused: %j", async (text) => {
  expect(await refusal(() => verifySshSignature(MESSAGE, Buffer.from(text), "x.sig"))).toMatch(
    /^signature-invalid: x\.sig is not written as an SSH signature/,
  );
});

function blobOf(signature: string): Buffer {
  return Buffer.from(signature.replace(/-----[A-Z ]+-----/g, ""), "base64");
}
