import { readdir, readFile, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { DrybagError } from "@drybag/errors";
import { parseChecksums } from "./checksums.ts";
import { FolderNames, foldCase } from "./folder-names.ts";
import { CHECKSUMS_FILE, CHECKSUMS_SIGNATURE_FILE, MAX_SIGNATURE_BYTES, partNames } from "./names.ts";
import { bundleFileName } from "./part-names.ts";
import { readError } from "./read-error.ts";

/** A carry folder with a bundle in it. */
export interface CarryFolder {
  directory: string;
  /** Every name in it. */
  names: FolderNames;
  /** Name of the tar without `.tar`, as SHA256SUMS has it. */
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
  /** As SHA256SUMS has it; the drive may show it in another case. */
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
  const found = await readdir(directory).catch((error) => Promise.reject(readError(error, directory)));
  const names = new FolderNames(found);
  const stemOnDrive = wanted ?? onlyStem(names, directory);
  const checksumsBytes = await readSmall(directory, names.find(CHECKSUMS_FILE), MAX_CHECKSUMS_BYTES);
  const checksumsSignature = await readSmall(
    directory,
    names.find(CHECKSUMS_SIGNATURE_FILE),
    MAX_SIGNATURE_BYTES,
  );
  const checksums = readChecksums(checksumsBytes);
  const listed = checksums instanceof Map ? [...checksums.keys()] : [];
  const stem = listedStem(listed, stemOnDrive);

  const present = found.filter((name) => isOfStem(name, stemOnDrive));
  const expected = expectedParts(stem, [...present, ...listed.filter((name) => isOfStem(name, stem))]);
  const parts: CarryPart[] = [];
  const missingParts: string[] = [];
  for (const name of expected) {
    const onDrive = names.find(name);
    if (onDrive === undefined) missingParts.push(name);
    else parts.push(await partAt(join(directory, onDrive), name));
  }
  if (parts.length === 0) throw notFound(`There is no ${stem}.tar in ${directory}.`);
  return {
    folder: {
      directory,
      names,
      stem,
      parts,
      ...(checksums instanceof Map && { checksums }),
      ...(checksumsBytes && { checksumsBytes }),
      ...(checksumsSignature && { checksumsSignature }),
    },
    missingParts,
    ...(checksums instanceof DrybagError && { checksumsError: checksums }),
  };
}

/** Everything that verifying a carry folder reads, in bytes: its parts and the other files that SHA256SUMS lists. */
export async function carryFolderSizeBytes(folder: CarryFolder): Promise<number> {
  let sizeBytes = folder.parts.reduce((sum, part) => sum + part.sizeBytes, 0);
  for (const name of otherListedFiles(folder)) {
    sizeBytes += await stat(pathOf(folder, name)).then(
      (found) => found.size,
      () => 0,
    );
  }
  return sizeBytes;
}

/** The files besides the parts that SHA256SUMS lists. */
export function otherListedFiles(folder: CarryFolder): string[] {
  const names = [...(folder.checksums?.keys() ?? [])];
  return names.filter((name) => !isOfStem(name, folder.stem));
}

/** Where a file of the folder lies that is called so in SHA256SUMS. */
export function pathOf({ directory, names }: CarryFolder, name: string): string {
  return join(directory, names.find(name) ?? name);
}

/** Whether a file is the bundle's or one of its parts, whatever the case that the drive shows. */
export function isOfStem(name: string, stem: string): boolean {
  const found = bundleFileName(name)?.stem;
  return found !== undefined && foldCase(found) === foldCase(stem);
}

/** As SHA256SUMS has it, where it lists any part. */
function listedStem(listed: readonly string[], stemOnDrive: string): string {
  const stems = listed
    .filter((name) => isOfStem(name, stemOnDrive))
    .map((name) => bundleFileName(name)?.stem);
  return stems.includes(stemOnDrive) ? stemOnDrive : (stems[0] ?? stemOnDrive);
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

function onlyStem(names: Iterable<string>, directory: string): string {
  const stems = [...new Set([...names].flatMap((name) => bundleFileName(name)?.stem ?? []))].sort();
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

/**
 * A file of the folder, if it is there. One that is too large to be what it should be counts as empty, as does what is no file, from which
 * reading might never end; it is refused by what reads it.
 */
async function readSmall(
  directory: string,
  name: string | undefined,
  maxBytes: number,
): Promise<Buffer | undefined> {
  if (name === undefined) return undefined;
  const path = join(directory, name);
  try {
    const found = await stat(path);
    return found.size > maxBytes || !found.isFile() ? Buffer.alloc(0) : await readFile(path);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw readError(error, path);
  }
}

const MAX_CHECKSUMS_BYTES = 1024 ** 2;
