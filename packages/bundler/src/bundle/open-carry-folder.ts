import { readFile } from "node:fs/promises";
import path from "node:path";
import { DrybagError } from "@drybag/errors";
import { type OpenedBundle, openBundle, parseTrustedSigners, type TrustedSigner } from "@drybag/format";
import type { RunContext } from "@drybag/terminal";

export function openCarryFolder(context: RunContext, folder: string): Promise<OpenedBundle> {
  return openBundle(path.resolve(context.cwd, folder), { signal: context.signal });
}

export function tarSizeBytes({ carryFolder }: OpenedBundle): number {
  return carryFolder.parts.reduce((sum, part) => sum + part.sizeBytes, 0);
}

/** How people tell layers and images apart. */
export function shortDigest(digest: string): string {
  return digest.replace(/^sha256:/, "").slice(0, 12);
}

/** The keys of `--key` and `--allowed-signers`; undefined where neither was given. */
export async function readTrustedSigners(
  cwd: string,
  files: readonly (string | undefined)[],
): Promise<TrustedSigner[] | undefined> {
  const given = files.filter((file) => file !== undefined);
  if (given.length === 0) return undefined;
  const signers: TrustedSigner[] = [];
  for (const file of given) {
    const text = await readFile(path.resolve(cwd, file), "utf8").catch((cause) => {
      throw new DrybagError("file-unreadable", `${file} cannot be read.`, { cause });
    });
    signers.push(...parseTrustedSigners(text, file, new Date()));
  }
  return signers;
}
