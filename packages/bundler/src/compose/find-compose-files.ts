import { access, readFile } from "node:fs/promises";
import path from "node:path";
import { parseEnv } from "node:util";
import { DrybagError } from "@drybag/errors";
import type { ProjectFlags } from "../options.ts";

/** The files that Compose starts from, as absolute paths. */
export interface ProjectSources {
  projectDirectory: string;
  composeFiles: string[];
  /** Env files for interpolation; later ones win. */
  envFiles: string[];
  profiles: string[];
}

/** Names that Compose looks for, best first (compose-spec). */
export const DEFAULT_FILES = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];
export const OVERRIDE_FILES = [
  "compose.override.yml",
  "compose.override.yaml",
  "docker-compose.override.yml",
  "docker-compose.override.yaml",
];

/**
 * Finds what `docker compose` without further flags would find: it does not say which files it read.
 * Flags win over the environment, which wins over `.env` in the working folder.
 * Throws `project-not-found` and `file-missing`.
 */
export async function findComposeFiles(
  flags: ProjectFlags,
  env: Record<string, string | undefined>,
): Promise<ProjectSources> {
  const { cwd } = flags;
  const setting = { ...(await readComposeVariables(path.join(cwd, ".env"))), ...withoutUnset(env) };
  const composeFiles = await chooseComposeFiles(flags, setting);
  const first = composeFiles[0] as string;
  const projectDirectory =
    flags.projectDirectory === undefined ? path.dirname(first) : path.resolve(cwd, flags.projectDirectory);
  return {
    projectDirectory,
    composeFiles,
    envFiles: await chooseEnvFiles(flags, setting, projectDirectory),
    profiles: flags.profiles.length > 0 ? flags.profiles : split(setting.COMPOSE_PROFILES, ","),
  };
}

async function chooseComposeFiles(
  flags: ProjectFlags,
  setting: Record<string, string | undefined>,
): Promise<string[]> {
  const { cwd } = flags;
  const named =
    flags.files.length > 0
      ? flags.files
      : split(setting.COMPOSE_FILE, setting.COMPOSE_PATH_SEPARATOR || path.delimiter);
  if (named.length === 0) return searchUpwards(path.resolve(cwd, flags.projectDirectory ?? "."));
  const files = named.map((file) => path.resolve(cwd, file));
  for (const file of files) await mustExist(file, "project-not-found", "The Compose file");
  return files;
}

async function searchUpwards(start: string): Promise<string[]> {
  for (let folder = start; ; folder = path.dirname(folder)) {
    const base = await firstExisting(folder, DEFAULT_FILES);
    if (base !== undefined) {
      const override = await firstExisting(folder, OVERRIDE_FILES);
      return override === undefined ? [base] : [base, override];
    }
    if (folder === path.dirname(folder)) break;
  }
  throw new DrybagError("project-not-found", `There is no Compose file in ${start} or above it.`, {
    hint: "Go to the folder with your compose.yaml, or name the files with -f.",
  });
}

async function chooseEnvFiles(
  flags: ProjectFlags,
  setting: Record<string, string | undefined>,
  projectDirectory: string,
): Promise<string[]> {
  const named = flags.envFiles.length > 0 ? flags.envFiles : split(setting.COMPOSE_ENV_FILES, ",");
  if (named.length > 0) {
    const files = named.map((file) => path.resolve(flags.cwd, file));
    for (const file of files) await mustExist(file, "file-missing", "The env file");
    return files;
  }
  if (["1", "true"].includes((setting.COMPOSE_DISABLE_ENV_FILE ?? "").toLowerCase())) return [];
  // Compose reads both, and what stands in the working folder wins.
  const candidates = [...new Set([path.join(projectDirectory, ".env"), path.join(flags.cwd, ".env")])];
  const found: string[] = [];
  for (const file of candidates) if (await exists(file)) found.push(file);
  return found;
}

async function readComposeVariables(file: string): Promise<Record<string, string | undefined>> {
  try {
    const values = parseEnv(await readFile(file, "utf8"));
    return Object.fromEntries(Object.entries(values).filter(([name]) => name.startsWith("COMPOSE_")));
  } catch {
    return {};
  }
}

function withoutUnset(env: Record<string, string | undefined>): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined));
}

function split(text: string | undefined, separator: string): string[] {
  return (text ?? "")
    .split(separator)
    .map((part) => part.trim())
    .filter(Boolean);
}

async function firstExisting(folder: string, names: readonly string[]): Promise<string | undefined> {
  for (const name of names) {
    const file = path.join(folder, name);
    if (await exists(file)) return file;
  }
  return undefined;
}

async function mustExist(
  file: string,
  code: "project-not-found" | "file-missing",
  what: string,
): Promise<void> {
  if (await exists(file)) return;
  throw new DrybagError(code, `${what} ${file} does not exist.`, { hint: "Check the path." });
}

async function exists(file: string): Promise<boolean> {
  try {
    await access(file);
    return true;
  } catch {
    return false;
  }
}
