export { bundleSizeBytes } from "./archive-items.ts";
export { parseChecksums, writeChecksums } from "./checksums.ts";
export { compareVersions } from "./compare-versions.ts";
export { compareEntryPaths, entryPathProblem } from "./entry-path.ts";
export { type CarryFolder, type CarryPart, carryFolderSizeBytes, findBundle } from "./find-bundle.ts";
export {
  buildImageEntries,
  type ImageEntries,
  type ImageEntry,
  type ImageToBundle,
} from "./image-entries.ts";
export { type ImageReference, normalizeReference } from "./image-reference.ts";
export type * from "./manifest.ts";
export { SETTING_TYPES } from "./manifest.ts";
export type * from "./manifest-build.ts";
export type * from "./manifest-tasks.ts";
export { CHECK_KINDS, TASK_TIMES } from "./manifest-tasks.ts";
export { matchInTime } from "./match-in-time.ts";
export * from "./names.ts";
export { type OpenedBundle, openBundle } from "./open-bundle.ts";
export { parseManifest, serializeManifest } from "./parse-manifest.ts";
export type { WrittenPart } from "./part-writer.ts";
export { type ReadBundleOptions, type ReadEntry, readBundle } from "./read-bundle.ts";
export * from "./secret-names.ts";
export { seeThroughLayer } from "./see-through-layer.ts";
export { type SettingForm, settingValueProblem } from "./setting-value.ts";
export { sha256Hex } from "./sha256.ts";
export { requireTrustedSigner, verifyBundleSigner } from "./signature/bundle-signer.ts";
export type { SshPublicKey } from "./signature/ssh-public-key.ts";
export { SIGNATURE_NAMESPACE, verifySshSignature } from "./signature/ssh-signature.ts";
export { parseTrustedSigners, type TrustedSigner } from "./signature/trusted-signers.ts";
export { canBeGivenToTasks, fillIn, settingsOfCheck, taskCycle } from "./task-rules.ts";
export { unpackLayer } from "./unpack-layer.ts";
export { createUnzstd } from "./unzstd.ts";
export { type VerifiedCarryFolder, type VerifyOptions, verifyCarryFolder } from "./verify-carry-folder.ts";
export { toVisibleLine } from "./visible-line.ts";
export { type WriteBundleOptions, type WrittenBundle, writeBundle } from "./write-bundle.ts";
export { fsyncDirectory, writeFileAtomically } from "./write-file.ts";
