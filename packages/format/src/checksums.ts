import { join } from "node:path";
import { DrybagError } from "@drybag/errors";
import { compareEntryPaths } from "./entry-path.ts";
import { CHECKSUMS_FILE } from "./names.ts";
import { writeFileAtomically } from "./write-file.ts";

/** Writes SHA256SUMS for files of a folder, as `sha256sum -c` reads it. */
export async function writeChecksums(
  directory: string,
  files: { name: string; sha256: string }[],
): Promise<void> {
  const lines = files
    .toSorted((a, b) => compareEntryPaths(a.name, b.name))
    .map(({ name, sha256 }) => `${sha256}  ${name}\n`);
  const text = lines.join("");
  parseChecksums(text);
  await writeFileAtomically(join(directory, CHECKSUMS_FILE), text);
}

/** Reads SHA256SUMS: hex sha256 by file name. Throws checksums-invalid. */
export function parseChecksums(text: string): Map<string, string> {
  const checksums = new Map<string, string>();
  for (const [index, line] of text.replace(/\n$/, "").split("\n").entries()) {
    const [, sha256, name] = LINE.exec(line) ?? [];
    if (sha256 === undefined || name === undefined || name === "." || name === ".." || checksums.has(name)) {
      throw new DrybagError("checksums-invalid", `Line ${index + 1} of ${CHECKSUMS_FILE} cannot be read.`, {
        hint: `Copy ${CHECKSUMS_FILE} again from where the bundle was made.`,
      });
    }
    checksums.set(name, sha256);
  }
  return checksums;
}

/** `sha256sum` writes a space before the name of a text file and `*` before that of a binary one. Names have no folder. */
const LINE = /^([0-9a-f]{64}) [ *]([^/\\\p{Cc}]{1,255})$/u;
