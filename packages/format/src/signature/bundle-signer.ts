import { DrybagError, isDrybagError } from "@drybag/errors";
import { CHECKSUMS_FILE, CHECKSUMS_SIGNATURE_FILE, MANIFEST_ENTRY, SIGNATURE_ENTRY } from "../names.ts";
import type { OpenedBundle } from "../open-bundle.ts";
import type { SshPublicKey } from "./ssh-public-key.ts";
import { verifySshSignature } from "./ssh-signature.ts";
import type { TrustedSigner } from "./trusted-signers.ts";

type Signed = Pick<OpenedBundle, "carryFolder" | "manifestBytes" | "signature">;

/**
 * The key that signed a bundle: its manifest and, where that is there, SHA256SUMS, which covers the installer and install.sh.
 * Undefined if nobody did. Throws signature-invalid if a signature is none, signature-foreign if it is not over these bytes,
 * signatures-swapped if it is over those of the other one, signatures-differ if the two are of different keys,
 * signature-missing if only one of both is signed, since then the other was removed.
 */
export function verifyBundleSigner({
  carryFolder,
  manifestBytes,
  signature,
}: Signed): SshPublicKey | undefined {
  const { checksumsBytes, checksumsSignature } = carryFolder;
  const ofManifest = signature && verify(signature, manifestBytes, checksumsBytes, SIGNATURE_ENTRY);
  if (checksumsBytes === undefined) return ofManifest;
  const ofChecksums =
    checksumsSignature && verify(checksumsSignature, checksumsBytes, manifestBytes, CHECKSUMS_SIGNATURE_FILE);
  if (ofManifest?.base64 === ofChecksums?.base64) return ofManifest;
  if (ofManifest === undefined) throw stripped(SIGNATURE_ENTRY, CHECKSUMS_FILE);
  if (ofChecksums === undefined) throw stripped(CHECKSUMS_SIGNATURE_FILE, "the bundle");
  throw new DrybagError(
    "signatures-differ",
    `${SIGNATURE_ENTRY} is by ${ofManifest.fingerprint}, but ${CHECKSUMS_SIGNATURE_FILE} is by ${ofChecksums.fingerprint}.`,
    { hint: "Do not install this bundle: its files come from different bundles, or somebody changed them." },
  );
}

/** `others` are the bytes that the other signature belongs to. */
function verify(
  signature: Uint8Array,
  bytes: Uint8Array,
  others: Uint8Array | undefined,
  what: string,
): SshPublicKey {
  try {
    return verifySshSignature(bytes, signature, what);
  } catch (error) {
    if (!isDrybagError(error, "signature-foreign") || !others || !isOver(signature, others)) throw error;
    throw new DrybagError(
      "signatures-swapped",
      `${what} is over ${what === SIGNATURE_ENTRY ? CHECKSUMS_FILE : MANIFEST_ENTRY}, to which the other signature belongs.`,
      {
        hint: "Do not install this bundle: somebody put it together by hand. Copy it again from where it was made.",
      },
    );
  }
}

function isOver(signature: Uint8Array, bytes: Uint8Array): boolean {
  try {
    verifySshSignature(bytes, signature, "");
    return true;
  } catch {
    return false;
  }
}

function stripped(missing: string, signed: string): DrybagError {
  return new DrybagError("signature-missing", `${missing} is not there, although ${signed} is signed.`, {
    hint: "Copy the whole carry folder again from where the bundle was made.",
  });
}

/**
 * Whether a bundle comes from one of the keys that somebody trusts: those given on the command line, or the one that was pinned when
 * the stack was first installed. Gives that key. Throws signature-missing, signer-unknown.
 */
export function requireTrustedSigner(
  signer: SshPublicKey | undefined,
  trusted: readonly TrustedSigner[],
): TrustedSigner {
  const expected = trusted
    .map((each) => `${each.fingerprint}${each.name ? ` (${each.name})` : ""}`)
    .join(", ");
  if (signer === undefined) {
    throw new DrybagError("signature-missing", `The bundle is not signed; it must be, by ${expected}.`, {
      hint: "Ask who made it for a signed one (drybag pack --sign).",
    });
  }
  const found = trusted.find((each) => each.base64 === signer.base64);
  if (found !== undefined) return found;
  throw new DrybagError(
    "signer-unknown",
    `The bundle is signed by ${signer.fingerprint} (${signer.keyType}), not by ${expected}.`,
    { hint: "Ask who made it, over another way than the stick, whether that key is theirs." },
  );
}
