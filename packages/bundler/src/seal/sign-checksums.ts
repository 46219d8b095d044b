import { readFile } from "node:fs/promises";
import path from "node:path";
import {
  CHECKSUMS_FILE,
  CHECKSUMS_SIGNATURE_FILE,
  type SshPublicKey,
  verifySshSignature,
  writeFileAtomically,
} from "@drybag/format";
import type { SshSigner } from "./ssh-signer.ts";

/** Signs SHA256SUMS of a carry folder, and with it all its files. Gives the key. */
export async function signChecksums(directory: string, signer: SshSigner): Promise<SshPublicKey> {
  const checksums = await readFile(path.join(directory, CHECKSUMS_FILE));
  const signature = await signer.sign(checksums, CHECKSUMS_FILE);
  await writeFileAtomically(path.join(directory, CHECKSUMS_SIGNATURE_FILE), signature);
  return verifySshSignature(checksums, signature, CHECKSUMS_SIGNATURE_FILE);
}
