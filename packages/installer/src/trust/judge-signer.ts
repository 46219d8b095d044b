import { DrybagError } from "@drybag/errors";
import { requireTrustedSigner, type SshPublicKey, type TrustedSigner } from "@drybag/format";

/** What is known of who signed a bundle, against who signed the one before. */
export interface SignerVerdict {
  signer: SshPublicKey | undefined;
  /** `unsigned`: nobody ever signed one. `first`, `new`: to be pinned once the stack runs. `same`: the one that is pinned. */
  trust: "unsigned" | "first" | "same" | "new";
}

/**
 * Whether a bundle may be installed over what is here. The first signed one brings the key that all later ones must be signed by; a
 * fingerprint that was typed in replaces it, or, at the first install, has to be the signer's.
 * Throws `signature-missing`, `signer-unknown`.
 */
export function judgeSigner(
  signer: SshPublicKey | undefined,
  pinned: TrustedSigner | undefined,
  trustNewKey: string | undefined,
): SignerVerdict {
  if (trustNewKey !== undefined) refuseOtherThan(trustNewKey, signer);
  if (signer !== undefined && signer.base64 === pinned?.base64) return { signer, trust: "same" };
  if (trustNewKey !== undefined) return { signer, trust: pinned === undefined ? "first" : "new" };
  if (pinned === undefined) return { signer, trust: signer === undefined ? "unsigned" : "first" };
  if (signer === undefined) return { signer, trust: requirePinned(signer, pinned) };
  throw new DrybagError(
    "signer-unknown",
    `The bundle is signed by ${signer.fingerprint}, and this stack's by ${pinned.fingerprint} so far.`,
    {
      hint: `Ask who made it, over another way than the stick, whether the key is theirs. If it is: --trust-new-key ${signer.fingerprint}`,
    },
  );
}

/** Always throws: says what a bundle without a signature lacks. */
function requirePinned(signer: undefined, pinned: TrustedSigner): never {
  requireTrustedSigner(signer, [{ ...pinned, name: "pinned when this stack was installed" }]);
  throw new Error("a bundle without a signature was taken for a trusted one");
}

function refuseOtherThan(fingerprint: string, signer: SshPublicKey | undefined): void {
  if (signer === undefined) {
    throw new DrybagError("signature-missing", `The bundle is not signed; it must be, by ${fingerprint}.`, {
      hint: "Ask who made it for a signed one (drybag pack --sign).",
    });
  }
  if (signer.fingerprint === fingerprint) return;
  throw new DrybagError(
    "signer-unknown",
    `The bundle is signed by ${signer.fingerprint}, not by ${fingerprint}.`,
    {
      hint: "Compare the fingerprint with the one that you were given over another way than the stick.",
    },
  );
}

/** In a few words, for the plan and the report. */
export function describeSigner({ signer, trust }: SignerVerdict): string {
  if (signer === undefined) return "nobody";
  const words = {
    first: "seen for the first time; later bundles must be signed by it too",
    same: "as before",
    new: "in place of the key before",
    unsigned: "",
  };
  return `${signer.fingerprint} (${words[trust]})`;
}
