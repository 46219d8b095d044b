import { DrybagError } from "@drybag/errors";
import { readSshPublicKey, type SshPublicKey } from "./ssh-public-key.ts";
import { SIGNATURE_NAMESPACE } from "./ssh-signature.ts";

/** A key that somebody vouches for. */
export interface TrustedSigner extends SshPublicKey {
  /** Who it belongs to: the principals of allowed_signers, or the comment of a public key. */
  name?: string;
}

/**
 * Reads the keys to be trusted, line by line: public keys (`id_ed25519.pub`, authorized_keys) or allowed_signers as ssh-keygen(1)
 * describes it. Keys for other namespaces, and those whose time is not now, are left out. `source` names the file in errors.
 * Throws signers-invalid.
 */
export function parseTrustedSigners(text: string, source: string, now: Date): TrustedSigner[] {
  const signers: TrustedSigner[] = [];
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    const signer = readLine(line, now, (reason) => {
      throw invalid(`Line ${index + 1} of ${source} ${reason}.`);
    });
    if (signer !== undefined) signers.push(signer);
  }
  if (signers.length === 0) throw invalid(`${source} has no key that may sign bundles now.`);
  return signers;
}

function invalid(message: string): DrybagError {
  return new DrybagError("signers-invalid", message, {
    hint: "Give a public key such as id_ed25519.pub, or a file as 'ALLOWED SIGNERS' in ssh-keygen(1) says.",
  });
}

/** Key type, key and comment; before them, in allowed_signers, principals and options. */
const LINE =
  /^(?:(?<principals>"[^"]*"|\S+)\s+)?(?:(?<options>(?:[^\s"]|"[^"]*")+)\s+)?(?<type>(?:sk-)?(?:ssh|ecdsa)-[a-z0-9@.-]+)\s+(?<key>[A-Za-z0-9+/]+={0,2})(?:\s+(?<comment>.*))?$/;

function readLine(line: string, now: Date, refuse: (reason: string) => never): TrustedSigner | undefined {
  const { principals, options, type, key, comment } = LINE.exec(line)?.groups ?? {};
  if (type === undefined || key === undefined) return refuse("is no public key");
  const signer = readKey(type, key, refuse);
  if (options !== undefined && !allows(options, now, refuse)) return undefined;
  const name = principals?.replaceAll('"', "") ?? comment;
  return { ...signer, ...(name !== undefined && { name: printable(name) }) };
}

function readKey(type: string, key: string, refuse: (reason: string) => never): SshPublicKey {
  try {
    const { keyType, fingerprint, base64 } = readSshPublicKey(Buffer.from(key, "base64"));
    if (keyType === type) return { keyType, fingerprint, base64 };
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
  return refuse("has a key of another type than it says");
}

/** Options of allowed_signers. What is not known is refused: it could be a restriction. */
function allows(options: string, now: Date, refuse: (reason: string) => never): boolean {
  let allowed = true;
  for (const option of options.match(/(?:[^,"]|"[^"]*")+/g) ?? []) {
    const [, name = "", value = ""] = /^([a-z-]+)(?:="?([^"]*)"?)?$/i.exec(option) ?? [];
    switch (name.toLowerCase()) {
      case "namespaces":
        allowed &&= value.split(",").some((pattern) => matches(pattern, SIGNATURE_NAMESPACE));
        break;
      case "valid-after":
        allowed &&= now >= readTime(value, refuse);
        break;
      case "valid-before":
        allowed &&= now < readTime(value, refuse);
        break;
      default:
        return refuse(`has the option ${JSON.stringify(option)}, which is not supported`);
    }
  }
  return allowed;
}

function matches(pattern: string, name: string): boolean {
  const regex = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${regex}$`).test(name);
}

/** `YYYYMMDD`, `YYYYMMDDHHMM` or `YYYYMMDDHHMMSS`, with `Z` for UTC. */
function readTime(text: string, refuse: (reason: string) => never): Date {
  const match = /^(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)(\d\d)?)?(Z?)$/.exec(text);
  if (match === null) return refuse(`has the time ${JSON.stringify(text)}, which cannot be read`);
  const [, year, month, day, hour = "00", minute = "00", second = "00", zone] = match;
  return new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}${zone}`);
}

function printable(text: string): string {
  return text.slice(0, 200).replace(/[^\x20-\x7e]/g, "?");
}
