import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { DrybagError, type Finding } from "@drybag/errors";
import picomatch from "picomatch";
import { configInvalid, type Mistake } from "../config/config-document.ts";
import type { Placed, ProjectConfig } from "../config/project-config.ts";
import { isInside } from "./project-files.ts";

interface Pattern extends Placed {
  matches(relative: string): boolean;
  /** Whether anything matched. */
  used: boolean;
}

/** What `files.exclude` of drybag.yaml leaves out. */
export class Exclusions {
  readonly #config: ProjectConfig | undefined;
  readonly #patterns: Pattern[];

  constructor(config: ProjectConfig | undefined) {
    this.#config = config;
    this.#patterns = (config?.exclude ?? []).map(compile);
  }

  /** Whether a file or folder is left out, itself or with a folder that it lies in. */
  has(file: string): boolean {
    const matching = this.#matching(file);
    for (const pattern of matching) pattern.used = true;
    return matching.length > 0;
  }

  /** Throws `config-invalid` where one of these files is left out: Compose itself needs them. */
  refuse(files: readonly string[]): void {
    const mistakes = this.#patterns.flatMap((pattern): Mistake[] => {
      const needed = [...new Set(files)].filter((file) => this.#matching(file).includes(pattern));
      if (needed.length === 0) return [];
      const names = needed.map((file) => path.relative(this.#config?.folder ?? "", file)).join(", ");
      return [
        { position: pattern.position, message: `'${pattern.text}' leaves out ${names}, which Compose needs` },
      ];
    });
    if (mistakes.length > 0) throw configInvalid(path.basename(this.#config?.file ?? ""), mistakes);
  }

  findings(): Finding[] {
    return this.#patterns.filter(({ used }) => !used).map((pattern) => matchesNothing("exclude", pattern));
  }

  #matching(file: string): Pattern[] {
    const folder = this.#config?.folder;
    if (this.#patterns.length === 0 || folder === undefined || !isInside(folder, file)) return [];
    const steps = path.relative(folder, file).split(path.sep);
    const within = steps.map((_, index) => steps.slice(0, index + 1).join("/"));
    return this.#patterns.filter((pattern) => within.some((relative) => pattern.matches(relative)));
  }
}

/** Absolute paths of what `files.include` of drybag.yaml names. Throws `file-missing` for a plain path that is not there. */
export async function findIncluded(
  config: ProjectConfig | undefined,
): Promise<{ paths: string[]; findings: Finding[] }> {
  const paths = new Set<string>();
  const findings: Finding[] = [];
  if (config === undefined) return { paths: [], findings };
  for (const placed of config.include) {
    const { base, isGlob } = picomatch.scan(placed.text);
    const found = isGlob
      ? await walk(config.folder, path.join(config.folder, base), compile(placed))
      : [await mustExist(config, placed)];
    if (found.length === 0) findings.push(matchesNothing("include", placed));
    for (const file of found) paths.add(file);
  }
  return { paths: [...paths], findings };
}

function compile(placed: Placed): Pattern {
  const plain = path.posix.normalize(placed.text).replace(/\/$/, "");
  const matches = plain === "." ? () => true : picomatch(plain, { dot: true });
  // `conf/**` is all that is in a folder; for picomatch it is the folder as well.
  const isFolderItself = plain.endsWith("/**") ? picomatch(plain.slice(0, -3), { dot: true }) : () => false;
  return {
    ...placed,
    used: false,
    matches: (relative) => matches(relative) && !isFolderItself(relative),
  };
}

/** What matches below a folder; of a folder that matches, what is in it is not looked at. */
async function walk(root: string, folder: string, pattern: Pattern): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const found: string[] = [];
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const file = path.join(folder, entry.name);
    if (pattern.matches(path.relative(root, file).split(path.sep).join("/"))) found.push(file);
    else if (entry.isDirectory() && entry.name !== ".git") found.push(...(await walk(root, file, pattern)));
  }
  return found;
}

async function mustExist(config: ProjectConfig, { text, position }: Placed): Promise<string> {
  const file = path.join(config.folder, text);
  const there = await stat(file).catch(() => undefined);
  if (there !== undefined) return file.replace(/(?<=.)\/$/, "");
  const { line, column } = position;
  throw new DrybagError(
    "file-missing",
    `${path.basename(config.file)}:${line}:${column}: ${text}, which files.include names, does not exist.`,
    { hint: "Create it, mend the path, or take it out." },
  );
}

function matchesNothing(list: "include" | "exclude", { text, position }: Placed): Finding {
  return {
    code: "pattern-unused",
    severity: "warning",
    message: `'${text}' in files.${list} of drybag.yaml matches nothing.`,
    remedy: "Patterns are relative to the folder of drybag.yaml; '**/' stands for any depth.",
    position,
  };
}
