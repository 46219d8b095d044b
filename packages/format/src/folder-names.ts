import { DrybagError } from "@drybag/errors";

/**
 * The names in a folder, found by what they are called in a bundle. FAT and exFAT keep names but not always their case: what was written
 * as `erp-1.tar` may show as `ERP-1.TAR`. So a name that is not there as it is written stands for the only one that differs in its case
 * (of ASCII letters; what else such file systems take for the same is not known here).
 */
export class FolderNames {
  readonly #names: ReadonlySet<string>;
  readonly #byFolded = new Map<string, string[]>();

  constructor(names: readonly string[]) {
    this.#names = new Set(names);
    for (const name of names) {
      const folded = foldCase(name);
      this.#byFolded.set(folded, [...(this.#byFolded.get(folded) ?? []), name]);
    }
  }

  /** The name as it is in the folder; undefined where there is none. Throws bundle-not-found where several could be meant. */
  find(name: string): string | undefined {
    if (this.#names.has(name)) return name;
    const [found, ...others] = this.#byFolded.get(foldCase(name)) ?? [];
    if (others.length === 0) return found;
    throw new DrybagError(
      "bundle-not-found",
      `${[found, ...others].join(" and ")} differ only in their case, and ${name} is not there.`,
      { hint: "Copy the bundle again into a folder of its own." },
    );
  }

  *[Symbol.iterator](): Generator<string> {
    yield* this.#names;
  }
}

/** The same for names that differ only in the case of ASCII letters. */
export function foldCase(name: string): string {
  return name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
