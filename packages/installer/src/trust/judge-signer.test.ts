import { expect, test } from "vitest";
import { describeSigner, judgeSigner } from "./judge-signer.ts";

const ours = { keyType: "ssh-ed25519", fingerprint: "SHA256:ours", base64: "b3Vycw==" };
const theirs = { keyType: "ssh-ed25519", fingerprint: "SHA256:theirs", base64: "dGhlaXJz" };

test.each([
  ["nobody ever signed", undefined, undefined, undefined, "unsigned"],
  ["the first signed bundle", ours, undefined, undefined, "first"],
  ["the first one, with the fingerprint that was told", ours, undefined, "SHA256:ours", "first"],
  ["the same key again", ours, ours, undefined, "same"],
  ["the same key again, told once more", ours, ours, "SHA256:ours", "same"],
  ["another key that was told", theirs, ours, "SHA256:theirs", "new"],
])("%s", (_, signer, pinned, told, trust) => {
  expect(judgeSigner(signer, pinned, told)).toEqual({ signer, trust });
});

test.each([
  ["another key", theirs, ours, undefined, "signer-unknown"],
  ["no signature any more", undefined, ours, undefined, "signature-missing"],
  ["another key than the one that was told", theirs, ours, "SHA256:else", "signer-unknown"],
  ["the key of before, where another was told", ours, ours, "SHA256:theirs", "signer-unknown"],
  [
    "another key than the one that was told, at the first install",
    theirs,
    undefined,
    "SHA256:ours",
    "signer-unknown",
  ],
  ["no signature where a key was told", undefined, undefined, "SHA256:ours", "signature-missing"],
])("%s is refused", (_, signer, pinned, told, code) => {
  expect(() => judgeSigner(signer, pinned, told)).toThrow(expect.objectContaining({ code }));
});

test("the way to trust another key stands in the remedy", () => {
  expect(() => judgeSigner(theirs, ours, undefined)).toThrow(
    expect.objectContaining({ hint: expect.stringContaining("--trust-new-key SHA256:theirs") }),
  );
});

test("who signed is said in words", () => {
  expect(describeSigner({ signer: undefined, trust: "unsigned" })).toBe("nobody");
  expect(describeSigner({ signer: ours, trust: "same" })).toBe("SHA256:ours (as before)");
});
