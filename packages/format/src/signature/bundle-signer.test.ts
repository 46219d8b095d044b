import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openBundle } from "../open-bundle.ts";
import { serializeManifest } from "../parse-manifest.ts";
import { refusal } from "../testing/refusal.ts";
import { type TestSigner, testSigner } from "../testing/ssh-signer.ts";
import { temporaryFolder } from "../testing/temporary-folder.ts";
import { tinyBundle } from "../testing/tiny-bundle.ts";
import { archiveBytes, placeArchive } from "../testing/written-bundle.ts";
import { verifyCarryFolder } from "../verify-carry-folder.ts";
import { requireTrustedSigner, verifyBundleSigner } from "./bundle-signer.ts";
import { parseTrustedSigners } from "./trusted-signers.ts";

const jane = testSigner();
const mallory = testSigner();

interface Forgery {
  bundle?: ReturnType<typeof tinyBundle>;
  /** What the manifest's signature is, if any. */
  signature?: Buffer | undefined;
  checksumsSigner?: TestSigner | undefined;
}

/** A carry folder on disk; signed by Jane unless told otherwise. */
async function place(path: string, { bundle = tinyBundle(), ...given }: Forgery): Promise<void> {
  const signature = "signature" in given ? given.signature : jane.sign(serializeManifest(bundle.manifest));
  const signer = "checksumsSigner" in given ? given.checksumsSigner : jane;
  await placeArchive(path, await archiveBytes(path, bundle, signature), { signer });
}

test("a bundle that is signed tells by whom", async () => {
  await using folder = await temporaryFolder();
  await place(folder.path, {});
  const [trusted] = parseTrustedSigners(jane.publicKey, "jane.pub", new Date());
  expect((await openBundle(folder.path)).signer?.fingerprint).toBe(trusted?.fingerprint);
  const { bundle, findings } = await verifyCarryFolder(folder.path, { trusted: trusted ? [trusted] : [] });
  expect(findings).toEqual([]);
  expect(bundle?.signer).toMatchObject({
    keyType: "ssh-ed25519",
    fingerprint: trusted?.fingerprint,
    name: "test key",
  });
});

test("a bundle that nobody signed is read, and has no signer", async () => {
  await using folder = await temporaryFolder();
  await place(folder.path, { signature: undefined, checksumsSigner: undefined });
  expect(await openBundle(folder.path)).not.toHaveProperty("signer");
  expect((await verifyCarryFolder(folder.path)).findings).toEqual([]);
});

const older = tinyBundle({ version: "0.9" });
test.each<[string, Forgery, string]>([
  ["whose manifest's signature was stripped", { signature: undefined }, "signature-missing"],
  ["whose SHA256SUMS.sig was stripped", { checksumsSigner: undefined }, "signature-missing"],
  [
    "whose signature is over another bundle",
    { signature: jane.sign(serializeManifest(older.manifest)) },
    "signature-foreign",
  ],
  [
    "whose signatures are by different keys",
    { signature: mallory.sign(serializeManifest(tinyBundle().manifest)) },
    "signatures-differ",
  ],
  ["whose signature is none", { signature: Buffer.from("x") }, "signature-invalid"],
])("a bundle is refused %s", async (_title, forgery, code) => {
  await using folder = await temporaryFolder();
  await place(folder.path, forgery);
  expect(await refusal(() => openBundle(folder.path))).toMatch(new RegExp(`^${code}: `));
  const { findings } = await verifyCarryFolder(folder.path);
  expect(findings).toMatchObject([{ code, severity: "error" }]);
});

test.each<[string, Forgery, string]>([
  [
    "another key signed",
    { signature: mallory.sign(serializeManifest(tinyBundle().manifest)), checksumsSigner: mallory },
    "signer-unknown",
  ],
  ["nobody signed", { signature: undefined, checksumsSigner: undefined }, "signature-missing"],
])("a bundle that %s is refused where Jane must have", async (_title, forgery, code) => {
  await using folder = await temporaryFolder();
  await place(folder.path, forgery);
  const trusted = parseTrustedSigners(jane.publicKey, "jane.pub", new Date());
  const { signer } = await openBundle(folder.path);
  expect(await refusal(() => requireTrustedSigner(signer, trusted))).toMatch(new RegExp(`^${code}: `));
  const { findings } = await verifyCarryFolder(folder.path, { trusted });
  expect(findings).toMatchObject([{ code, severity: "error" }]);
});

test("a bundle is refused whose SHA256SUMS has the signature of the manifest, and the other way round", async () => {
  await using folder = await temporaryFolder();
  await place(folder.path, {});
  const bundle = await openBundle(folder.path);
  const signatures = {
    signature: bundle.signature,
    checksumsSignature: bundle.carryFolder.checksumsSignature,
  };
  if (!signatures.signature || !signatures.checksumsSignature) throw new Error("not signed");
  await writeFile(join(folder.path, "SHA256SUMS.sig"), signatures.signature);
  const message =
    /^signatures-swapped: SHA256SUMS\.sig is over drybag\.json, to which the other signature belongs/;
  expect(await refusal(() => openBundle(folder.path))).toMatch(message);
  expect((await verifyCarryFolder(folder.path)).findings).toMatchObject([{ code: "signatures-swapped" }]);
  // No file can be so: SHA256SUMS covers the tar, with the signature in it.
  const swapped = { ...bundle, signature: signatures.checksumsSignature };
  expect(await refusal(() => verifyBundleSigner(swapped))).toMatch(
    /^signatures-swapped: drybag\.json\.sig is over SHA256SUMS/,
  );
});

test("SHA256SUMS that was changed after signing is refused", async () => {
  await using folder = await temporaryFolder();
  await place(folder.path, {});
  const path = join(folder.path, "SHA256SUMS");
  await writeFile(path, `${await readFile(path, "utf8")}${"0".repeat(64)}  install.sh\n`);
  expect(await refusal(() => openBundle(folder.path))).toMatch(
    /^signature-foreign: SHA256SUMS\.sig is not over/,
  );
  await rm(path);
  expect((await verifyCarryFolder(folder.path)).findings).toMatchObject([{ code: "checksums-missing" }]);
});
