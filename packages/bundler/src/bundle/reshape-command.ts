import { mkdir, rm } from "node:fs/promises";
import path from "node:path";
import type { Readable } from "node:stream";
import { DrybagError } from "@drybag/errors";
import {
  type BundleFileEntry,
  CHECKSUMS_FILE,
  findBundle,
  INSTALL_SCRIPT_FILE,
  installerFile,
  type OpenedBundle,
  type ReadEntry,
  readBundle,
  verifyCarryFolder,
} from "@drybag/format";
import { formatBytes, type RunContext } from "@drybag/terminal";
import { checkPartSize } from "../options.ts";
import { signChecksums } from "../seal/sign-checksums.ts";
import { openSshSigner, type SshSigner } from "../seal/ssh-signer.ts";
import { putInPlace, removeStaleFolders, writeCarryFolder } from "../write/write-carry-folder.ts";
import { openCarryFolder, tarSizeBytes } from "./open-carry-folder.ts";

export interface ReshapeFlags {
  output: string;
  partSize?: string;
  sign?: string;
}

/**
 * `drybag split` and `drybag join`: the same bundle in files of another size, in another folder. Everything is verified while it is
 * copied; the identity stays the same. The signature of SHA256SUMS does not, since that lists other files.
 */
export async function reshapeCommand(
  context: RunContext,
  flags: ReshapeFlags,
  folder: string,
): Promise<void> {
  const { cwd, env, canAsk, signal } = context;
  const partSizeBytes = checkPartSize(flags.partSize ?? "none");
  const source = await openCarryFolder(context, folder);
  requireWhole(source);
  if (source.signer && flags.sign === undefined) {
    throw new DrybagError("usage", "The bundle is signed, and what lists its files has to be signed anew.", {
      hint: "Give the key that signed it: --sign KEY.",
    });
  }
  await using signer =
    flags.sign === undefined
      ? undefined
      : await openSshSigner(path.resolve(cwd, flags.sign), { env, canAsk, signal });
  const output = path.resolve(cwd, flags.output);
  const target = path.join(output, source.carryFolder.stem);
  await refuseExisting(target);

  const progress = context.progress(["write", "verify"]);
  const prefix = `.${source.carryFolder.stem}.partial-`;
  await mkdir(output, { recursive: true });
  await removeStaleFolders(output, prefix);
  const temporary = path.join(output, `${prefix}${process.pid}`);
  try {
    const written = await progress.stage("write", "Copy the bundle", (report) =>
      copyBundle(source, temporary, partSizeBytes, signer, signal, (done) =>
        report.bytes(done, tarSizeBytes(source)),
      ),
    );
    await progress.stage("verify", "Read it back and verify", () => requireSound(temporary, signal));
    await putInPlace(temporary, target);
    await progress.close();
    const result = {
      directory: target,
      id: source.manifestSha256,
      sizeBytes: tarSizeBytes(source),
      parts: written,
    };
    context.stdout.write(
      context.json
        ? `${JSON.stringify(result)}\n`
        : `${target}\n  ${formatBytes(result.sizeBytes)} in ${written.length} ${written.length === 1 ? "file" : "files"}, the same bundle: ${result.id}\n`,
    );
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** The installer and install.sh are checked against SHA256SUMS, so that has to be there. */
function requireWhole({ carryFolder }: OpenedBundle): void {
  if (carryFolder.checksums) return;
  throw new DrybagError("checksums-invalid", `${carryFolder.directory} has no ${CHECKSUMS_FILE}.`, {
    hint: "Copy the whole carry folder from where the bundle was made.",
  });
}

async function refuseExisting(target: string): Promise<void> {
  const there = await findBundle(target).catch(() => undefined);
  if (there === undefined) return;
  throw new DrybagError("output-exists", `${target} exists already.`, {
    hint: "Choose another folder with -o, not the one that the bundle lies in.",
  });
}

async function copyBundle(
  source: OpenedBundle,
  temporary: string,
  partSizeBytes: number,
  signer: SshSigner | undefined,
  signal: AbortSignal,
  onBytes: (done: number) => void,
) {
  const { manifest, mtimeSeconds, signature, carryFolder } = source;
  const entries = readBundle(source, { signal });
  const { parts, others, onDisk } = await writeCarryFolder(
    { manifest, open: (entry) => bodyOf(entries, entry) },
    {
      directory: temporary,
      assets: {
        installScript: path.join(carryFolder.directory, INSTALL_SCRIPT_FILE),
        installerDirectory: carryFolder.directory,
      },
      partSizeBytes,
      mtimeSeconds,
      ...(signature && { signature }),
      signal,
      onBytes,
    },
  );
  const { os, architecture } = manifest.platform;
  for (const name of [INSTALL_SCRIPT_FILE, installerFile(os, architecture)]) {
    if (others.find((file) => file.name === name)?.sha256 !== carryFolder.checksums?.get(name)) {
      throw new DrybagError(
        "digest-mismatch",
        `${name} is damaged: its sha256 is not the one in ${CHECKSUMS_FILE}.`,
        {
          hint: `Copy ${name} again from where the bundle was made.`,
        },
      );
    }
  }
  if (signer) {
    const signedBy = await signChecksums(temporary, signer);
    if (source.signer && signedBy.base64 !== source.signer.base64) {
      throw new DrybagError(
        "signer-unknown",
        `The bundle is signed by ${source.signer.fingerprint}, not by this key.`,
        {
          hint: "Sign with the key that it was packed with, or pack again with this one.",
        },
      );
    }
  }
  await onDisk();
  return parts;
}

/** The entries come in the order in which they are wanted; folders in between have no body. */
async function bodyOf(entries: AsyncGenerator<ReadEntry>, wanted: BundleFileEntry): Promise<Readable> {
  for (;;) {
    const next = await entries.next();
    if (next.done) throw new Error(`the bundle ended before ${wanted.path}`);
    if (next.value.entry.path === wanted.path) return next.value.body;
    next.value.body.destroy();
  }
}

async function requireSound(directory: string, signal: AbortSignal): Promise<void> {
  const { findings } = await verifyCarryFolder(directory, { signal });
  const first = findings.find((finding) => finding.severity === "error");
  if (first === undefined) return;
  throw new DrybagError("digest-mismatch", `What was written does not read back: ${first.message}`, {
    hint: "The disk or stick is failing: write to another one with -o.",
  });
}
