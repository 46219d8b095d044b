import { readFile } from "node:fs/promises";
import { DrybagError } from "@drybag/errors";
import {
  parseTrustedSigners,
  type SshPublicKey,
  type TrustedSigner,
  writeFileAtomically,
} from "@drybag/format";

/** The key that this stack's bundles are signed by; undefined where none was ever installed that was signed. Throws `signers-invalid`. */
export async function readPinnedSigner(path: string): Promise<TrustedSigner | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    if (code !== "EACCES") throw error;
    throw new DrybagError("file-unreadable", `${path} cannot be read.`, {
      hint: "Run the same command as root, or as the user who installed the stack.",
    });
  }
  return parseTrustedSigners(text, path, new Date())[0];
}

/** Remembers a key, as a line of authorized_keys. */
export async function pinSigner(path: string, { keyType, base64, fingerprint }: SshPublicKey): Promise<void> {
  await writeFileAtomically(path, `${keyType} ${base64} ${fingerprint}\n`, { mode: 0o600 });
}
