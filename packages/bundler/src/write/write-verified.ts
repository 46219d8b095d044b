import { createHash } from "node:crypto";
import { access, mkdir, readFile, rm } from "node:fs/promises";
import path from "node:path";
import { DrybagError } from "@drybag/errors";
import {
  bundleSizeBytes,
  bundleStem,
  CHECKSUMS_FILE,
  MANIFEST_ENTRY,
  type Manifest,
  openBundle,
  type SshPublicKey,
  serializeManifest,
  verifyCarryFolder,
} from "@drybag/format";
import { formatBytes, type Progress } from "@drybag/terminal";
import { count } from "../count.ts";
import type { PackOptions } from "../options.ts";
import type { BundlePlan } from "../seal/plan-bundle.ts";
import { signChecksums } from "../seal/sign-checksums.ts";
import type { SshSigner } from "../seal/ssh-signer.ts";
import { putInPlace, removeStaleFolders, writeCarryFolder } from "./write-carry-folder.ts";

/** A carry folder that lies where it belongs, whole. */
export interface WrittenBundle {
  directory: string;
  /** The bundle's identity: sha256 of its manifest. */
  id: string;
  parts: { name: string; sizeBytes: number; sha256: string }[];
  sizeBytes: number;
  /** The same bundle lay there already. */
  wasThere: boolean;
  /** The key that signed it. */
  signer?: SshPublicKey;
}

/** Writes under a temporary name, reads everything back, and only then gives the folder its name. */
export async function writeVerified(
  options: PackOptions,
  plan: BundlePlan,
  signer: SshSigner | undefined,
  progress: Progress,
  signal: AbortSignal,
): Promise<WrittenBundle> {
  const { outputDirectory } = options;
  const stem = bundleStem(plan.manifest.name, plan.manifest.version);
  const directory = path.join(outputDirectory, stem);
  await mkdir(outputDirectory, { recursive: true });
  const there = await whatIsThere(directory, plan.manifest, options, signal);
  if (there !== undefined) {
    await verify(directory, there.sizeBytes, options, progress, signal);
    return there;
  }
  // Between two stages, when the terminal is free for a question.
  const signature = await signer?.sign(serializeManifest(plan.manifest), MANIFEST_ENTRY);
  const prefix = `.${stem}.partial-`;
  await removeStaleFolders(outputDirectory, prefix);
  const temporary = path.join(outputDirectory, `${prefix}${process.pid}`);
  try {
    const totalBytes = bundleSizeBytes(plan.manifest, signature);
    const written = await progress.stage(
      "write",
      "Write the bundle",
      (report) =>
        writeCarryFolder(plan, {
          ...options,
          directory: temporary,
          ...(signature && { signature }),
          signal,
          onBytes: (doneBytes) => report.bytes(doneBytes, totalBytes),
        }),
      (done) => `${formatBytes(done.tarSizeBytes)} in ${count(done.parts, "file")}`,
    );
    if (signer) await signChecksums(temporary, signer);
    // Else the disk and the processor work at the same time.
    if (options.verifyMedia) await written.onDisk();
    // Each blob was hashed on its way into the parts, whose sha256 SHA256SUMS has.
    const hashed = { ...options, trustsParts: true };
    const verified = await verify(temporary, written.tarSizeBytes, hashed, progress, signal);
    await written.onDisk();
    await putInPlace(temporary, directory);
    return {
      directory,
      id: written.manifestSha256,
      parts: written.parts,
      sizeBytes: written.tarSizeBytes,
      wasThere: false,
      ...(verified && { signer: verified }),
    };
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** The same bundle from an earlier pack; undefined where the name is free or may be taken. Throws `output-exists`. */
async function whatIsThere(
  directory: string,
  manifest: Manifest,
  { force, signKey }: PackOptions,
  signal: AbortSignal,
): Promise<WrittenBundle | undefined> {
  if (!(await exists(directory))) return undefined;
  const isCarryFolder = await exists(path.join(directory, CHECKSUMS_FILE));
  const bundle = isCarryFolder ? await openBundle(directory, { signal }).catch(() => undefined) : undefined;
  const id = createHash("sha256").update(serializeManifest(manifest)).digest("hex");
  if (bundle?.manifestSha256 === id && !force && (await isSignedBy(bundle.signer, signKey))) {
    const { parts, checksums } = bundle.carryFolder;
    return {
      directory,
      id,
      wasThere: true,
      ...(bundle.signer && { signer: bundle.signer }),
      parts: parts.map(({ name, sizeBytes }) => ({ name, sizeBytes, sha256: checksums?.get(name) ?? "" })),
      sizeBytes: parts.reduce((sum, part) => sum + part.sizeBytes, 0),
    };
  }
  if (force && isCarryFolder) return undefined;
  throw new DrybagError("output-exists", `${directory} exists already and is something else.`, {
    hint: isCarryFolder
      ? "Pack with --force to replace it, with another --bundle-version, or elsewhere with -o."
      : "It is not a carry folder: move it away, or pack elsewhere with -o.",
  });
}

/** Whether a bundle that is there already is signed as it would be now. The public key lies beside the private one. */
async function isSignedBy(signer: SshPublicKey | undefined, signKey: string | undefined): Promise<boolean> {
  if (signKey === undefined || signer === undefined) return signer === undefined;
  const publicFile = signKey.endsWith(".pub") ? signKey : `${signKey}.pub`;
  const text = await readFile(publicFile, "utf8").catch(() => "");
  return text.split(/\s/)[1] === signer.base64;
}

/** Reads everything back. Gives the key that signed it, if one did. */
async function verify(
  directory: string,
  totalBytes: number,
  { verifyMedia, trustsParts }: Pick<PackOptions, "verifyMedia"> & { trustsParts?: boolean },
  progress: Progress,
  signal: AbortSignal,
): Promise<SshPublicKey | undefined> {
  const title = verifyMedia ? "Read it back from the medium and verify" : "Read it back and verify";
  const { bundle, findings } = await progress.stage("verify", title, (report) => {
    let doneBytes = 0;
    const onBytes = (bytes: number) => {
      doneBytes += bytes;
      report.bytes(doneBytes, Math.max(totalBytes, doneBytes));
    };
    return verifyCarryFolder(directory, {
      signal,
      onBytes,
      bypassCache: verifyMedia,
      ...(trustsParts && { trustsParts }),
    });
  });
  for (const finding of findings) {
    if (finding.severity !== "error") progress.emit({ type: "warning", ...finding });
  }
  const first = findings.find((finding) => finding.severity === "error");
  if (first === undefined) return bundle?.signer;
  throw new DrybagError("digest-mismatch", `What was written does not read back: ${first.message}`, {
    hint: "The disk or stick is failing: write to another one with -o. With --force a damaged folder is replaced.",
  });
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
