import { readdir, readFile, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { DrybagError } from "@drybag/errors";
import { parseChecksums } from "./checksums.ts";
import { CHECKSUMS_FILE, CHECKSUMS_SIGNATURE_FILE, MAX_SIGNATURE_BYTES, partNames } from "./names.ts";
import { bundleFileName } from "./part-names.ts";
import { readError } from "./read-error.ts";

/** A carry folder with a bundle in it. */
export interface CarryFolder {
  directory: string;
  /** Name of the tar without `.tar`. */
  stem: string;
  /** In order. */
  parts: CarryPart[];
  /** SHA256SUMS, if it is there: hex sha256 by file name. */
  checksums?: Map<string, string>;
  /** SHA256SUMS as it lies there, and its signature, each if it is there. */
  checksumsBytes?: Buffer;
  checksumsSignature?: Buffer;
}

export interface CarryPart {
  name: string;
  path: string;
  sizeBytes: number;
}

/**
 * Finds the bundle that a path means: a carry folder, the tar in it, or one of its parts. Reads names, sizes and SHA256SUMS.
 * Throws bundle-not-found, bundle-part-missing with the names of all missing parts, checksums-invalid, bundle-unreadable.
 */
export async function findBundle(path: string): Promise<CarryFolder> {
  const { folder, missingParts, checksumsError } = await lookForBundle(path);
  if (checksumsError) throw checksumsError;
  if (missingParts.length > 0) throw partsMissing(missingParts, folder.directory);
  return folder;
}

export interface FoundBundle {
  folder: CarryFolder;
  missingParts: string[];
  /** Why SHA256SUMS is there but not in `folder`. */
  checksumsError?: DrybagError;
}

/** Like findBundle, but tells what is wrong instead of throwing, as far as there is a bundle at all. */
export async function lookForBundle(path: string): Promise<FoundBundle> {
  const { directory, stem: wanted } = await placeOf(path);
  const names = await readdir(directory).catch((error) => Promise.reject(readError(error, directory)));
  const stem = wanted ?? onlyStem(names, directory);
  const checksumsBytes = await readSmall(directory, CHECKSUMS_FILE, MAX_CHECKSUMS_BYTES);
  const checksumsSignature = await readSmall(directory, CHECKSUMS_SIGNATURE_FILE, MAX_SIGNATURE_BYTES);
  const checksums = readChecksums(checksumsBytes);
  const listed = checksums instanceof Map ? [...checksums.keys()] : [];

  const present = names.filter((name) => bundleFileName(name)?.stem === stem);
  const expected = expectedParts(stem, [
    ...present,
    ...listed.filter((name) => bundleFileName(name)?.stem === stem),
  ]);
  const parts: CarryPart[] = [];
  for (const name of expected) {
    if (present.includes(name)) parts.push(await partAt(join(directory, name), name));
  }
  if (parts.length === 0) throw notFound(`There is no ${stem}.tar in ${directory}.`);
  return {
    folder: {
      directory,
      stem,
      parts,
      ...(checksums instanceof Map && { checksums }),
      ...(checksumsBytes && { checksumsBytes }),
      ...(checksumsSignature && { checksumsSignature }),
    },
    missingParts: expected.filter((name) => !present.includes(name)),
    ...(checksums instanceof DrybagError && { checksumsError: checksums }),
  };
}

/** Everything that verifying a carry folder reads, in bytes: its parts and the other files that SHA256SUMS lists. */
export async function carryFolderSizeBytes(folder: CarryFolder): Promise<number> {
  let sizeBytes = folder.parts.reduce((sum, part) => sum + part.sizeBytes, 0);
  for (const name of otherListedFiles(folder)) {
    sizeBytes += await stat(join(folder.directory, name)).then(
      (found) => found.size,
      () => 0,
    );
  }
  return sizeBytes;
}

/** The files besides the parts that SHA256SUMS lists. */
export function otherListedFiles(folder: CarryFolder): string[] {
  const names = [...(folder.checksums?.keys() ?? [])];
  return names.filter((name) => bundleFileName(name)?.stem !== folder.stem);
}

export function partsMissing(names: string[], directory: string): DrybagError {
  const what = names.length === 1 ? `${names[0]} is missing` : `${names.join(", ")} are missing`;
  return new DrybagError("bundle-part-missing", `${what} in ${directory}.`, {
    hint: "Copy it from where the bundle was made; the other files need not be copied again.",
  });
}

function notFound(message: string, hint?: string): DrybagError {
  return new DrybagError("bundle-not-found", message, {
    hint: hint ?? "Give the folder that drybag pack wrote, or the .tar or .tar.001 in it.",
  });
}

async function placeOf(path: string): Promise<{ directory: string; stem?: string }> {
  const found = await stat(path).catch((error) => {
    // The name of a bundle, with `.tar` or without, stands for its parts too.
    if (error.code !== "ENOENT" && error.code !== "ENOTDIR") throw readError(error, path);
    throw notFound(`There is no ${path}.`);
  });
  if (found.isDirectory()) return { directory: path };
  const name = bundleFileName(basename(path));
  if (name === undefined)
    throw notFound(`${path} is not a bundle: its name does not end with .tar or .tar.001.`);
  return { directory: dirname(path), stem: name.stem };
}

function onlyStem(names: string[], directory: string): string {
  const stems = [...new Set(names.flatMap((name) => bundleFileName(name)?.stem ?? []))].sort();
  const [stem, another] = stems;
  if (stem === undefined) throw notFound(`There is no bundle in ${directory}.`);
  if (another === undefined) return stem;
  throw notFound(
    `There are several bundles in ${directory}: ${stems.join(", ")}.`,
    "Name one of them by its file.",
  );
}

/** All names from the first part to the last one that is there or listed. */
function expectedParts(stem: string, names: string[]): string[] {
  const numbers = names.map((name) => bundleFileName(name)?.part ?? 0);
  const last = Math.max(...numbers, 0);
  if (last === 0) return [`${stem}.tar`];
  if (numbers.includes(0)) {
    throw notFound(
      `${stem}.tar and ${stem}.tar.${String(last).padStart(3, "0")} lie side by side.`,
      "Remove one of both.",
    );
  }
  return last === 1 ? [`${stem}.tar.001`, `${stem}.tar.002`] : partNames(`${stem}.tar`, last);
}

async function partAt(path: string, name: string): Promise<CarryPart> {
  const found = await stat(path).catch((error) => Promise.reject(readError(error, path)));
  if (!found.isFile()) throw notFound(`${path} is not a file.`);
  return { name, path, sizeBytes: found.size };
}

function readChecksums(bytes: Buffer | undefined): Map<string, string> | DrybagError | undefined {
  try {
    return bytes && parseChecksums(bytes.toString());
  } catch (error) {
    if (error instanceof DrybagError) return error;
    throw error;
  }
}

/** A file of the folder, if it is there. One that is too large to be what it should be counts as empty, and is refused by what reads it. */
async function readSmall(directory: string, name: string, maxBytes: number): Promise<Buffer | undefined> {
  const path = join(directory, name);
  try {
    const { size } = await stat(path);
    return size > maxBytes ? Buffer.alloc(0) : await readFile(path);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw readError(error, path);
  }
}

const MAX_CHECKSUMS_BYTES = 1024 ** 2;
