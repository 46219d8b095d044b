import { readFile, stat } from "node:fs/promises";
import type { ComposeModel } from "@drybag/docker";
import { isSecretName, type Manifest } from "@drybag/format";

export interface KnownSecrets {
  values: Set<string>;
  /** Of settings: what stands behind such a name is hidden however short it is. */
  names: Set<string>;
}

/** A file of a secret is a password or a key, not a book. */
const MAX_SECRET_FILE_BYTES = 64 * 1024;

/** The values of a stack that nobody else may see: secret settings, and variables and files that say so themselves. */
export async function knownSecrets(
  manifest: Manifest,
  answers: ReadonlyMap<string, string>,
  model: ComposeModel | undefined,
): Promise<KnownSecrets> {
  const names = new Set(manifest.settings.filter(({ secret }) => secret).map(({ name }) => name));
  const values = new Set<string>();
  const add = (name: string, value: string | null | undefined) => {
    if (value && (names.has(name) || isSecretName(name))) values.add(value);
  };
  for (const [name, value] of answers) add(name, value);
  for (const setting of manifest.settings) add(setting.name, setting.default);
  for (const { environment } of Object.values(model?.services ?? {})) {
    for (const [name, value] of Object.entries(environment ?? {})) add(name, value);
  }
  for (const { file, content } of Object.values(model?.secrets ?? {})) {
    const text = content ?? (file === undefined ? "" : await readShort(file));
    for (const line of text.split("\n")) if (line.trim() !== "") values.add(line.trim());
  }
  return { values, names };
}

async function readShort(path: string): Promise<string> {
  try {
    const { size } = await stat(path);
    return size > MAX_SECRET_FILE_BYTES ? "" : await readFile(path, "utf8");
  } catch {
    return "";
  }
}

/** Files that are secrets as a whole, by their absolute paths: they stay out of the archive. */
export function secretFiles(model: ComposeModel | undefined): string[] {
  return Object.values(model?.secrets ?? {}).flatMap(({ file }) => (file === undefined ? [] : [file]));
}
