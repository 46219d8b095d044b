import { createHash, verify } from "node:crypto";
import { DrybagError } from "@drybag/errors";
import { readSshPublicKey, type SshPublicKey, type VerifyingKey } from "./ssh-public-key.ts";
import { leftPadded, SshReader, sshString } from "./ssh-wire.ts";

/** What signatures of bundles are for; a signature that the same key made for something else is refused. */
export const SIGNATURE_NAMESPACE = "drybag";

const MAGIC = "SSHSIG";

/**
 * Verifies an SSH signature as `ssh-keygen -Y sign -n drybag` makes it, over a message, and gives the key that made it. Whether
 * that key is to be trusted is another question. `what` names the signature's file in errors.
 * Format: OpenSSH, PROTOCOL.sshsig and PROTOCOL.u2f. Throws signature-foreign where it is one but not over these bytes, signature-invalid
 * where it is none.
 */
export function verifySshSignature(message: Uint8Array, armored: Uint8Array, what: string): SshPublicKey {
  let verifier: VerifyingKey;
  try {
    verifier = verifyBlob(message, unarmor(Buffer.from(armored)));
  } catch (error) {
    const code = error instanceof ForeignSignature ? "signature-foreign" : "signature-invalid";
    throw new DrybagError(code, `${what} ${reasonOf(error)}.`, {
      hint: "Do not install this bundle: copy it again from where it was made, and ask who made it if that does not help.",
      cause: error,
    });
  }
  const { keyType, fingerprint, base64 } = verifier;
  return { keyType, fingerprint, base64 };
}

function verifyBlob(message: Uint8Array, blob: Buffer): VerifyingKey {
  const reader = new SshReader(blob);
  if (reader.raw(MAGIC.length).toString("latin1") !== MAGIC || reader.uint32() !== 1)
    throw new Error("is no SSH signature of version 1");
  const signer = readSshPublicKey(reader.string());
  const namespace = reader.text();
  if (namespace !== SIGNATURE_NAMESPACE)
    throw new Error(`was made for ${JSON.stringify(namespace)}, not for "${SIGNATURE_NAMESPACE}"`);
  const reserved = reader.string();
  const hashName = reader.text();
  if (hashName !== "sha256" && hashName !== "sha512")
    throw new Error(`has the hash ${JSON.stringify(hashName)}, which is not supported`);
  const signature = reader.string();
  reader.end();

  const signed = Buffer.concat([
    Buffer.from(MAGIC),
    ...[namespace, reserved, hashName, createHash(hashName).update(message).digest()].map(sshString),
  ]);
  if (!isSignatureOf(signer, signed, new SshReader(signature)))
    throw new ForeignSignature("is not over these bytes: they were changed, or it belongs to something else");
  return signer;
}

class ForeignSignature extends Error {}

/** Which algorithms may stand in a signature by a key of a type, and the hash that they use. */
const ALGORITHMS: Record<string, Record<string, string | null>> = {
  "ssh-ed25519": { "ssh-ed25519": null },
  "sk-ssh-ed25519@openssh.com": { "sk-ssh-ed25519@openssh.com": null },
  "ssh-rsa": { "rsa-sha2-256": "sha256", "rsa-sha2-512": "sha512" },
  "ecdsa-sha2-nistp256": { "ecdsa-sha2-nistp256": "sha256" },
  "ecdsa-sha2-nistp384": { "ecdsa-sha2-nistp384": "sha384" },
  "ecdsa-sha2-nistp521": { "ecdsa-sha2-nistp521": "sha512" },
  "sk-ecdsa-sha2-nistp256@openssh.com": { "sk-ecdsa-sha2-nistp256@openssh.com": "sha256" },
};

function isSignatureOf(signer: VerifyingKey, signed: Buffer, reader: SshReader): boolean {
  const algorithm = reader.text();
  const hash = ALGORITHMS[signer.keyType]?.[algorithm];
  if (hash === undefined)
    throw new Error(`has the algorithm ${JSON.stringify(algorithm)}, which does not fit its key`);
  const signature = readSignature(signer, reader.string());
  const message =
    signer.application === undefined ? signed : tokenMessage(signer.application, signed, reader);
  reader.end();
  return verify(hash, message, { key: signer.key, dsaEncoding: "ieee-p1363" }, signature);
}

/** In the form that node:crypto wants. */
function readSignature({ keyType, fieldBytes }: VerifyingKey, signature: Buffer): Buffer {
  // OpenSSH leaves out leading zeros of RSA signatures.
  if (keyType === "ssh-rsa") return leftPadded(signature, fieldBytes);
  if (!keyType.includes("ecdsa")) return signature;
  const reader = new SshReader(signature);
  const numbers = [reader.positiveNumber(), reader.positiveNumber()];
  reader.end();
  return Buffer.concat(numbers.map((number) => leftPadded(number, fieldBytes)));
}

/** What a security key signs: hashes, and between them whether somebody touched it and how often it has signed. */
function tokenMessage(application: Buffer, signed: Buffer, reader: SshReader): Buffer {
  const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest();
  const flagsAndCounter = reader.raw(5);
  return Buffer.concat([sha256(application), flagsAndCounter, sha256(signed)]);
}

const ARMOR =
  /^-----BEGIN SSH SIGNATURE-----\r?\n((?:[A-Za-z0-9+/]{1,76}={0,2}\r?\n)+)-----END SSH SIGNATURE-----\r?\n?$/;

function unarmor(armored: Buffer): Buffer {
  const base64 = ARMOR.exec(armored.toString("latin1"))?.[1]?.replace(/\r?\n/g, "");
  if (base64 === undefined || base64.length % 4 !== 0) throw new Error("is not written as an SSH signature");
  return Buffer.from(base64, "base64");
}

function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  // What node:crypto says of a point that is not on its curve and the like.
  return /^(is|has|was|ends|goes) /.test(message) ? message : `cannot be read (${message})`;
}
