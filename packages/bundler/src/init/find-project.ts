import { readdir } from "node:fs/promises";
import path from "node:path";
import { DrybagError } from "@drybag/errors";
import { isMap } from "yaml";
import { type ComposeDocument, readComposeDocuments } from "../compose/compose-document.ts";
import { type EnvFile, readEnvFile } from "../compose/env-file.ts";
import { DEFAULT_FILES, OVERRIDE_FILES } from "../compose/find-compose-files.ts";
import { keysOf, lookUpPath, textOf } from "../compose/look-up.ts";
import { scalarValuesOf } from "../compose/variables-of.ts";

/** What lies in a project's folder. File names are relative to it, with slashes. */
export interface FoundProject {
  folder: string;
  /** The Compose file that Compose takes by itself. */
  base: string | undefined;
  /** The override that Compose takes with it. */
  automaticOverride: string | undefined;
  /** Files that change or add to the base. */
  overrides: string[];
  /** Other files that could be packed by themselves. */
  alternatives: string[];
  /** `.env`, which Compose takes by itself. */
  dotEnv: EnvFile | undefined;
  /** `example.env` and the like. */
  exampleEnvFiles: string[];
  isFrappe: boolean;
}

const YAML = /\.ya?ml$/i;
const OVERRIDE_NAME = /^(?:docker-)?compose[.-].+\.ya?ml$/i;
const OVERRIDE_FOLDERS = ["overrides", "override"];
const EXAMPLE_ENV =
  /^(?:(?:example|sample|template)\.env|env[.-](?:example|sample|template|dist)|.*\.env[.-](?:example|sample|template|dist))$/i;

/** Looks into a folder, and above it for the nearest that Compose would take. Throws `project-not-found`, `project-invalid`. */
export async function findProject(cwd: string): Promise<FoundProject> {
  const folder = (await nearestProject(cwd)) ?? cwd;
  const names = await namesIn(folder);
  const base = DEFAULT_FILES.find((name) => names.includes(name));
  const automaticOverride = base && OVERRIDE_FILES.find((name) => names.includes(name));
  const others = names.filter((name) => YAML.test(name) && name !== base && name !== automaticOverride);
  const beside = base === undefined ? [] : others.filter((name) => OVERRIDE_NAME.test(name));
  const below = await Promise.all(OVERRIDE_FOLDERS.map((name) => yamlIn(folder, name)));
  const overrides = base === undefined ? [] : await onlyCompose(folder, [...beside, ...below.flat()]);
  const alternatives = await onlyCompose(
    folder,
    others.filter((name) => !beside.includes(name)),
  );
  if (base === undefined && alternatives.length === 0) {
    throw new DrybagError("project-not-found", `There is no Compose file in ${cwd} or above it.`, {
      hint: "Go to the folder with your compose.yaml, or name the files with -f.",
    });
  }
  return {
    folder,
    base,
    automaticOverride,
    overrides,
    alternatives,
    dotEnv: names.includes(".env") ? await readEnvFile(path.join(folder, ".env")) : undefined,
    exampleEnvFiles: names.filter((name) => EXAMPLE_ENV.test(name)),
    isFrappe: base !== undefined && overrides.length > 0 && (await isFrappe(path.join(folder, base))),
  };
}

async function nearestProject(cwd: string): Promise<string | undefined> {
  for (let folder = cwd; ; folder = path.dirname(folder)) {
    const names = await namesIn(folder);
    if (DEFAULT_FILES.some((name) => names.includes(name))) return folder;
    if (folder === path.dirname(folder)) return undefined;
  }
}

async function namesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => !entry.isDirectory())
    .map(({ name }) => name)
    .sort();
}

async function yamlIn(folder: string, name: string): Promise<string[]> {
  const names = await namesIn(path.join(folder, name));
  return names.filter((each) => YAML.test(each)).map((each) => `${name}/${each}`);
}

const COMPOSE_KEYS = ["services", "include", "networks", "volumes", "configs", "secrets"];

/** Other YAML files may lie there: only those with something that Compose knows count. */
async function onlyCompose(folder: string, names: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const name of names) {
    const documents = await readComposeDocuments(path.join(folder, name)).catch(() => []);
    const isCompose = documents.some(hasComposeKey);
    if (isCompose) found.push(name);
  }
  return found;
}

function hasComposeKey(document: ComposeDocument): boolean {
  return (
    document.root !== undefined && keysOf(document, document.root).some((key) => COMPOSE_KEYS.includes(key))
  );
}

const FRAPPE_IMAGE = /\bfrappe\/(?:erpnext|base|build|bench|frappe-worker)\b/;

/** frappe_docker and what is made from it (github.com/frappe/frappe_docker). */
async function isFrappe(file: string): Promise<boolean> {
  const documents = await readComposeDocuments(file);
  return documents.some(
    (document) =>
      (document.root !== undefined && keysOf(document, document.root).includes("x-customizable-image")) ||
      scalarValuesOf(document).some((scalar) => FRAPPE_IMAGE.test(textOf(scalar) ?? "")),
  );
}

/** Profiles that services of these files are in. */
export async function profilesOf(files: readonly string[]): Promise<string[]> {
  const profiles = new Set<string>();
  for (const document of (await Promise.all(files.map(readComposeDocuments))).flat()) {
    const services = lookUpPath(document, ["services"]);
    for (const name of services && isMap(services.node) ? keysOf(document, services.node) : []) {
      for (const item of namesAt(document, ["services", name, "profiles"])) profiles.add(item);
    }
  }
  return [...profiles].sort();
}

function namesAt(document: ComposeDocument, keys: readonly string[]): string[] {
  const found = lookUpPath(document, keys);
  const items = found && "items" in found.node ? (found.node.items as unknown[]) : [];
  return items.flatMap((item) => textOf(document.resolve(item)) ?? []);
}
