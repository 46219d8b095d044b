import { createHash, createPublicKey, type KeyObject } from "node:crypto";
import { SshReader } from "./ssh-wire.ts";

/** A public key as SSH writes it. */
export interface SshPublicKey {
  /** `ssh-ed25519`, `ssh-rsa`, `ecdsa-sha2-nistp256`, `sk-ssh-ed25519@openssh.com`, … */
  keyType: string;
  /** `SHA256:…`, as `ssh-keygen -l` shows it. */
  fingerprint: string;
  /** The key in base64, as in authorized_keys. */
  base64: string;
}

/** A key that can verify: what the curve or the token needs besides. */
export interface VerifyingKey extends SshPublicKey {
  key: KeyObject;
  /** Bytes of one coordinate or, for RSA, of the modulus. */
  fieldBytes: number;
  /** Of a security key: what it says it signs for. */
  application?: Buffer;
}

const CURVES: Record<string, { jwk: string; fieldBytes: number }> = {
  nistp256: { jwk: "P-256", fieldBytes: 32 },
  nistp384: { jwk: "P-384", fieldBytes: 48 },
  nistp521: { jwk: "P-521", fieldBytes: 66 },
};

/** Below this, RSA can be broken; ssh-keygen refuses the same. */
const MIN_RSA_BITS = 2048;
const MAX_RSA_BITS = 8192;
/** Every key there is has 65537 or less; with a huge one, verifying would take very long. */
const MAX_RSA_EXPONENT_BYTES = 8;

/**
 * Reads a public key in SSH's binary form (RFC 4253, 5656, 8709 and OpenSSH's PROTOCOL.u2f). Throws an Error for what is not one,
 * or is none that can be trusted to sign.
 */
export function readSshPublicKey(blob: Buffer): VerifyingKey {
  const reader = new SshReader(blob);
  const keyType = reader.text();
  const known = {
    keyType,
    fingerprint: fingerprintOf(blob),
    base64: blob.toString("base64"),
  };
  switch (keyType) {
    case "ssh-ed25519":
      return { ...known, ...readEd25519(reader) };
    case "sk-ssh-ed25519@openssh.com":
      return { ...known, ...withApplication(reader, readEd25519) };
    case "ecdsa-sha2-nistp256":
    case "ecdsa-sha2-nistp384":
    case "ecdsa-sha2-nistp521":
      return { ...known, ...readEcdsa(reader, keyType.slice("ecdsa-sha2-".length)) };
    case "sk-ecdsa-sha2-nistp256@openssh.com":
      return { ...known, ...withApplication(reader, (part, last) => readEcdsa(part, "nistp256", last)) };
    case "ssh-rsa":
      return { ...known, ...readRsa(reader) };
    default:
      throw new Error(`has a key of the type ${JSON.stringify(keyType)}, which is not supported`);
  }
}

/** `SHA256:` and the base64 of the hash without `=`, as `ssh-keygen -l` shows it. */
function fingerprintOf(blob: Buffer): string {
  return `SHA256:${createHash("sha256").update(blob).digest("base64").replace(/=+$/, "")}`;
}

type KeyParts = Pick<VerifyingKey, "key" | "fieldBytes">;

function readEd25519(reader: SshReader, last = true): KeyParts {
  const point = reader.string();
  if (last) reader.end();
  if (point.length !== 32) throw new Error("has an Ed25519 key of another size than 32 bytes");
  const jwk = { kty: "OKP", crv: "Ed25519", x: point.toString("base64url") };
  return { key: createPublicKey({ key: jwk, format: "jwk" }), fieldBytes: 32 };
}

function readEcdsa(reader: SshReader, name: string, last = true): KeyParts {
  const curve = CURVES[name];
  if (curve === undefined || reader.text() !== name)
    throw new Error("has a key on another curve than it says");
  const point = reader.string();
  if (last) reader.end();
  const { jwk: crv, fieldBytes } = curve;
  if (point.length !== 1 + 2 * fieldBytes || point[0] !== 4)
    throw new Error("has an ECDSA key that is no point");
  const x = point.subarray(1, 1 + fieldBytes).toString("base64url");
  const y = point.subarray(1 + fieldBytes).toString("base64url");
  return { key: createPublicKey({ key: { kty: "EC", crv, x, y }, format: "jwk" }), fieldBytes };
}

function readRsa(reader: SshReader): KeyParts {
  const e = reader.positiveNumber();
  const n = reader.positiveNumber();
  reader.end();
  const bits = n.length * 8 - Math.clz32(n[0] ?? 0) + 24;
  if (bits < MIN_RSA_BITS || bits > MAX_RSA_BITS) throw new Error(`has an RSA key of ${bits} bits`);
  if (e.length > MAX_RSA_EXPONENT_BYTES) throw new Error("has an RSA key with a huge exponent");
  const jwk = { kty: "RSA", n: n.toString("base64url"), e: e.toString("base64url") };
  return { key: createPublicKey({ key: jwk, format: "jwk" }), fieldBytes: n.length };
}

function withApplication(
  reader: SshReader,
  readKey: (reader: SshReader, last: boolean) => KeyParts,
): KeyParts & { application: Buffer } {
  const parts = readKey(reader, false);
  const application = reader.string();
  reader.end();
  return { ...parts, application };
}
