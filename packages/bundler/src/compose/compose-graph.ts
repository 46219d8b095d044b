import path from "node:path";
import { DrybagError } from "@drybag/errors";
import { isMap } from "yaml";
import { type ComposeDocument, type Position, readComposeDocuments } from "./compose-document.ts";
import { type EnvFile, readEnvFile } from "./env-file.ts";
import { interpolate } from "./interpolate.ts";
import { type Found, itemsOf, keysOf, lookUpPath, positionOf, textOf } from "./look-up.ts";

/** Compose files that are merged with one another, and what they draw in. */
export interface ComposeUnit {
  /** In the order of merging: later ones win. */
  documents: ComposeDocument[];
  projectDirectory: string;
  /** What its variables are replaced with. */
  environment: Record<string, string>;
  /** Env files of an `include`; the project's own are not among them. */
  envFiles: EnvFile[];
  includes: ComposeUnit[];
  /** Where it is included; undefined for the project itself. */
  includedAt: Position | undefined;
}

/** The project's files as they lie there. What they mean together is for `docker compose config` to say. */
export interface ComposeGraph {
  root: ComposeUnit;
  /** Every unit, the root first. */
  units: ComposeUnit[];
  /** Files that only `extends` names. */
  extended: ComposeDocument[];
  /** Every document once. */
  documents: ComposeDocument[];
}

/** A chain of `include` or `extends` longer than this goes in a circle. */
const LONGEST_CHAIN = 64;

/**
 * Reads Compose files, and follows `include` and `extends`, which `docker compose config` merges away.
 * Throws `file-missing`, `file-unreadable` and `project-invalid` with a position; a reference to another machine (git, OCI, http)
 * is refused, since nothing on site could follow it.
 */
export async function readComposeGraph(
  files: readonly string[],
  projectDirectory: string,
  environment: Record<string, string>,
): Promise<ComposeGraph> {
  const reader = new GraphReader();
  const root = await reader.readUnit(
    { files, projectDirectory, environment, envFiles: [], includedAt: undefined },
    0,
  );
  return {
    root,
    units: reader.units,
    extended: reader.extended,
    documents: [...reader.documents.values()].flat(),
  };
}

interface UnitPlan {
  files: readonly string[];
  projectDirectory: string;
  environment: Record<string, string>;
  envFiles: EnvFile[];
  includedAt: Position | undefined;
}

class GraphReader {
  /** By path; a file may hold several. */
  readonly documents = new Map<string, ComposeDocument[]>();
  readonly units: ComposeUnit[] = [];
  readonly extended: ComposeDocument[] = [];

  async readUnit(plan: UnitPlan, depth: number): Promise<ComposeUnit> {
    const documents = (await Promise.all(plan.files.map((file) => this.#read(file)))).flat();
    const unit: ComposeUnit = { ...plan, documents, includes: [] };
    this.units.push(unit);
    for (const document of documents) {
      await this.#readExtended(document, unit.projectDirectory, unit.environment, 0);
      for (const include of itemsOf(lookUpPath(document, ["include"]))) {
        if (depth >= LONGEST_CHAIN) throw circle("include", positionOf(include));
        const included = await this.#planInclude(include, unit);
        if (included !== undefined) unit.includes.push(await this.readUnit(included, depth + 1));
      }
    }
    return unit;
  }

  async #planInclude(include: Found, unit: ComposeUnit): Promise<UnitPlan | undefined> {
    const { document, node } = include;
    const resolve = (found: Found) => localPath(found, unit.environment, unit.projectDirectory);
    const field = (key: string): Found[] => (isMap(node) ? itemsOf(lookUpIn(include, key)) : []);
    const files = (isMap(node) ? field("path") : [include]).flatMap((item) => resolve(item) ?? []);
    const first = files[0];
    if (first === undefined) return undefined;
    const projectDirectory =
      field("project_directory").flatMap((item) => resolve(item) ?? [])[0] ?? path.dirname(first);
    const named = field("env_file").flatMap((item) => resolve(item) ?? []);
    const envFiles: EnvFile[] = [];
    for (const file of named.length > 0 ? named : [path.join(projectDirectory, ".env")]) {
      const envFile = await readEnvFile(file, unit.environment);
      if (envFile !== undefined) envFiles.push(envFile);
    }
    return {
      files,
      projectDirectory,
      // The including project's values win over those of the include.
      environment: { ...Object.assign({}, ...envFiles.map((file) => file.values)), ...unit.environment },
      envFiles,
      includedAt: document.positionOf(node),
    };
  }

  async #readExtended(
    document: ComposeDocument,
    folder: string,
    environment: Record<string, string>,
    depth: number,
  ): Promise<void> {
    const services = lookUpPath(document, ["services"]);
    if (services === undefined || !isMap(services.node)) return;
    for (const name of keysOf(document, services.node)) {
      const file = lookUpPath(document, ["services", name, "extends", "file"]);
      const target = file && localPath(file, environment, folder);
      if (file === undefined || target === undefined || this.documents.has(target)) continue;
      if (depth >= LONGEST_CHAIN) throw circle("extends", positionOf(file));
      const base = await this.#read(target);
      this.extended.push(...base);
      for (const each of base) await this.#readExtended(each, path.dirname(target), environment, depth + 1);
    }
  }

  async #read(file: string): Promise<ComposeDocument[]> {
    const known = this.documents.get(file);
    if (known !== undefined) return known;
    const documents = await readComposeDocuments(file);
    this.documents.set(file, documents);
    return documents;
  }
}

function lookUpIn(found: Found, key: string): Found | undefined {
  const root = isMap(found.node) ? found.node : undefined;
  return root && lookUpPath({ ...found.document, root }, [key]);
}

/** The absolute path that a scalar names; undefined for what is no text. */
export function localPath(
  found: Found,
  environment: Record<string, string>,
  folder: string,
): string | undefined {
  const text = textOf(found.node);
  if (!text) return undefined;
  const reference = interpolate(text, environment);
  if (/^(?:[a-z][a-z0-9+.-]*:\/\/|git@|oci:)/i.test(reference)) {
    const { file, line, column } = positionOf(found);
    throw new DrybagError("project-invalid", `${file}:${line}:${column}: ${reference} lies on a network.`, {
      hint: "Copy it into the project and name the copy: there is no network on site.",
    });
  }
  return path.resolve(folder, reference);
}

function circle(what: string, { file, line, column }: Position): DrybagError {
  return new DrybagError("project-invalid", `${file}:${line}:${column}: '${what}' goes in a circle.`, {
    hint: "Take one of the files out of the circle.",
  });
}
