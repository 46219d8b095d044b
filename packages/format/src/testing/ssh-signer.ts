import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { SIGNATURE_NAMESPACE } from "../signature/ssh-signature.ts";
import { sshString } from "../signature/ssh-wire.ts";

export interface TestSigner {
  /** As in an `id_….pub`. */
  publicKey: string;
  /** As `ssh-keygen -Y sign` writes it. */
  sign(message: Uint8Array, namespace?: string): Buffer;
}

export type TestKeyType = "ssh-ed25519" | "sk-ssh-ed25519@openssh.com" | "sk-ecdsa-sha2-nistp256@openssh.com";

/** Keys that no file holds; those of security keys too, which no test machine has. ssh-keygen takes all of their signatures. */
export function testSigner(keyType: TestKeyType = "ssh-ed25519"): TestSigner {
  const ecdsa = keyType.includes("ecdsa");
  const { publicKey, privateKey } = ecdsa
    ? generateKeyPairSync("ec", { namedCurve: "P-256" })
    : generateKeyPairSync("ed25519");
  const application = keyType.startsWith("sk-") ? [sshString("ssh:")] : [];
  const blob = Buffer.concat([sshString(keyType), ...publicParts(publicKey, ecdsa), ...application]);
  return {
    publicKey: `${keyType} ${blob.toString("base64")} test key\n`,
    sign(message, namespace = SIGNATURE_NAMESPACE) {
      const hash = createHash("sha512").update(message).digest();
      const fields = [namespace, "", "sha512", hash].map(sshString);
      const signed = Buffer.concat([Buffer.from("SSHSIG"), ...fields]);
      const signature = signWith(privateKey, keyType, signed);
      return armored(
        Buffer.concat([
          Buffer.from("SSHSIG\0\0\0\x01", "latin1"),
          sshString(blob),
          ...fields.slice(0, 3),
          sshString(signature),
        ]),
      );
    },
  };
}

export function armored(blob: Buffer): Buffer {
  const lines = blob.toString("base64").match(/.{1,70}/g) ?? [];
  return Buffer.from(
    ["-----BEGIN SSH SIGNATURE-----", ...lines, "-----END SSH SIGNATURE-----", ""].join("\n"),
  );
}

function publicParts(key: KeyObject, ecdsa: boolean): Buffer[] {
  const { x = "", y = "" } = key.export({ format: "jwk" });
  const [first, second] = [x, y].map((part) => Buffer.from(part, "base64url"));
  if (!ecdsa) return [sshString(first as Buffer)];
  return [
    sshString("nistp256"),
    sshString(Buffer.concat([Buffer.from([4]), first as Buffer, second as Buffer])),
  ];
}

function signWith(key: KeyObject, keyType: TestKeyType, signed: Buffer): Buffer {
  const sha256 = (bytes: Uint8Array | string) => createHash("sha256").update(bytes).digest();
  // Touched, and the counter.
  const token = Buffer.from([1, 0, 0, 0, 7]);
  const isToken = keyType.startsWith("sk-");
  const message = isToken ? Buffer.concat([sha256("ssh:"), token, sha256(signed)]) : signed;
  const ecdsa = keyType.includes("ecdsa");
  const raw = sign(ecdsa ? "sha256" : null, message, { key, dsaEncoding: "ieee-p1363" });
  const value = ecdsa
    ? Buffer.concat([raw.subarray(0, 32), raw.subarray(32)].map((half) => sshString(positive(half))))
    : raw;
  return Buffer.concat([sshString(keyType), sshString(value), ...(isToken ? [token] : [])]);
}

function positive(number: Buffer): Buffer {
  let start = 0;
  while (start < number.length - 1 && number[start] === 0) start++;
  const rest = number.subarray(start);
  return (rest[0] ?? 0) > 0x7f ? Buffer.concat([Buffer.from([0]), rest]) : rest;
}
