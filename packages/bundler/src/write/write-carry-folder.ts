import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { access, mkdir, open, readdir, readFile, rename, rm, statfs } from "node:fs/promises";
import path from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { DrybagError } from "@drybag/errors";
import {
  bundleSizeBytes,
  bundleStem,
  fsyncDirectory,
  INSTALL_SCRIPT_FILE,
  installerFile,
  README_FILE,
  type WriteBundleOptions,
  type WrittenPart,
  writeBundle,
  writeChecksums,
} from "@drybag/format";
import type { BundlerAssets } from "../options.ts";
import type { BundlePlan } from "../seal/plan-bundle.ts";
import { readmeText } from "./readme-text.ts";

export interface CarryFolderOptions {
  /** The temporary folder to fill; made here. */
  directory: string;
  assets: BundlerAssets;
  partSizeBytes: number;
  mtimeSeconds: number;
  /** Over the manifest. */
  signature?: Uint8Array;
  signal: AbortSignal;
  onBytes(doneBytes: number): void;
}

export interface WrittenCarryFolder {
  manifestSha256: string;
  tarSizeBytes: number;
  parts: WrittenPart[];
  /** README.txt, install.sh and the installer. */
  others: { name: string; sha256: string }[];
  /** Resolves when the parts are on the disk: to be awaited before the folder gets its name. */
  onDisk(): Promise<void>;
}

/** Room for what lies beside the tar: the installer, and the file system's own needs. */
const MARGIN_BYTES = 64 * 1024 * 1024;

/** Writes everything that a technician carries. Throws `disk-full`, `not-writable`, `installer-missing`. */
export async function writeCarryFolder(
  plan: Pick<BundlePlan, "manifest"> & Pick<WriteBundleOptions, "open">,
  { directory, assets, partSizeBytes, mtimeSeconds, signature, signal, onBytes }: CarryFolderOptions,
): Promise<WrittenCarryFolder> {
  const { manifest, open: openEntry } = plan;
  await requireSpace(path.dirname(directory), bundleSizeBytes(manifest) + MARGIN_BYTES);
  await makeDirectory(directory);
  const { os, architecture } = manifest.platform;
  const installer = installerFile(os, architecture);
  const installerSource = path.join(assets.installerDirectory, installer);
  await requireInstaller(installerSource, `${os}/${architecture}`);

  let doneBytes = 0;
  const bundle = await writeBundle({
    directory,
    stem: bundleStem(manifest.name, manifest.version),
    manifest,
    ...(signature && { signature }),
    open: openEntry,
    partSizeBytes,
    mtimeSeconds,
    signal,
    syncLater: true,
    onBytes: (count) => {
      doneBytes += count;
      onBytes(doneBytes);
    },
  });
  const names = bundle.parts.map((part) => part.name);
  const small = [
    await writeWhole(directory, README_FILE, Buffer.from(readmeText(manifest, names))),
    await writeWhole(directory, INSTALL_SCRIPT_FILE, await readFile(assets.installScript), 0o755),
    await copyWhole(installerSource, directory, installer, signal),
  ];
  await writeChecksums(directory, [...bundle.parts, ...small]);
  await fsyncDirectory(directory);
  return {
    manifestSha256: bundle.manifestSha256,
    tarSizeBytes: bundle.sizeBytes,
    parts: bundle.parts,
    others: small,
    onDisk: bundle.onDisk,
  };
}

/** Removes what a killed pack left in the output folder. */
export async function removeStaleFolders(outputDirectory: string, prefix: string): Promise<void> {
  const names = await readdir(outputDirectory).catch(() => []);
  for (const name of names.filter((each) => each.startsWith(prefix))) {
    const pid = Number(name.slice(prefix.length));
    if (!isAlive(pid)) await rm(path.join(outputDirectory, name), { recursive: true, force: true });
  }
}

/** Gives a finished folder its name; an old one of that name is set aside first and removed last. */
export async function putInPlace(temporary: string, final: string): Promise<void> {
  const aside = `${temporary}.old`;
  const replaced = await rename(final, aside).then(
    () => true,
    () => false,
  );
  await rename(temporary, final);
  await fsyncDirectory(path.dirname(final));
  if (replaced) await rm(aside, { recursive: true, force: true });
}

async function requireSpace(directory: string, neededBytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(directory);
  const freeBytes = bavail * bsize;
  if (freeBytes >= neededBytes) return;
  const gib = (bytes: number) => `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
  throw new DrybagError(
    "disk-full",
    `${directory} has ${gib(freeBytes)} free, the bundle needs ${gib(neededBytes)}.`,
    {
      hint: "Make room there, or choose another place with -o.",
    },
  );
}

async function makeDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory);
  } catch (error) {
    throw new DrybagError("not-writable", `${path.dirname(directory)} cannot be written to.`, {
      hint: "Choose another place with -o.",
      cause: error,
    });
  }
}

async function requireInstaller(file: string, platform: string): Promise<void> {
  try {
    await access(file);
  } catch (error) {
    throw new DrybagError("installer-missing", `There is no installer for ${platform} at ${file}.`, {
      hint: "Build it first (pnpm build), or pack for another platform.",
      cause: error,
    });
  }
}

async function writeWhole(directory: string, name: string, content: Buffer, mode = 0o644) {
  const handle = await open(path.join(directory, name), "wx", mode);
  try {
    await handle.writeFile(content);
    await handle.chmod(mode);
    await handle.sync();
  } finally {
    await handle.close();
  }
  return { name, sha256: createHash("sha256").update(content).digest("hex") };
}

async function copyWhole(source: string, directory: string, name: string, signal: AbortSignal) {
  const hash = createHash("sha256");
  const hashing = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  const target = createWriteStream(path.join(directory, name), { flags: "wx", flush: true });
  await pipeline(createReadStream(source), hashing, target, { signal });
  return { name, sha256: hash.digest("hex") };
}

function isAlive(pid: number): boolean {
  try {
    return Number.isInteger(pid) && pid > 0 && process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
