import { access, stat } from "node:fs/promises";
import path from "node:path";
import { DrybagError } from "@drybag/errors";
import type { ProjectFlags } from "../options.ts";
import { readEnvFile } from "./env-file.ts";

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
 * Finds what `docker compose` without further flags would find: it does not say which files it read. Env files are looked for twice,
 * since they may name the Compose files, and these the folder; what is found first wins (compose, cmd/compose/compose.go,
 * toProjectOptions; compose-go, cli/options.go). Flags win over the environment, which wins over env files.
 * Throws `project-not-found` and `file-missing`.
 */
export async function findComposeFiles(
  flags: ProjectFlags,
  env: Record<string, string | undefined>,
): Promise<ProjectSources> {
  const own = withoutUnset(env);
  const firstFolder = workingFolder(flags, flags.files);
  const setting = await withComposeVariables(own, await chooseEnvFiles(flags, own, firstFolder));
  // Once more: one of those variables takes `.env` away.
  const first = await chooseEnvFiles(flags, setting, firstFolder);
  const composeFiles = await chooseComposeFiles(flags, setting);
  const projectDirectory = workingFolder(flags, composeFiles);
  const second = await chooseEnvFiles(flags, setting, projectDirectory);
  const { COMPOSE_PROFILES: profiles } = await withComposeVariables(setting, second);
  return {
    projectDirectory,
    composeFiles,
    envFiles: [...new Set([...second, ...first])],
    profiles: flags.profiles.length > 0 ? flags.profiles : split(profiles, ","),
  };
}

/** compose-go, ProjectOptions.GetWorkingDir. */
function workingFolder({ cwd, projectDirectory }: ProjectFlags, files: readonly string[]): string {
  if (projectDirectory !== undefined) return path.resolve(cwd, projectDirectory);
  return files[0] === undefined ? cwd : path.dirname(path.resolve(cwd, files[0]));
}

async function chooseComposeFiles(flags: ProjectFlags, setting: Record<string, string>): Promise<string[]> {
  const { cwd } = flags;
  const named =
    flags.files.length > 0
      ? flags.files
      : split(setting.COMPOSE_FILE, setting.COMPOSE_PATH_SEPARATOR || path.delimiter);
  if (named.length === 0) return searchUpwards(workingFolder(flags, []));
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
  setting: Record<string, string>,
  folder: string,
): Promise<string[]> {
  const named = flags.envFiles.length > 0 ? flags.envFiles : split(setting.COMPOSE_ENV_FILES, ",");
  if (named.length > 0) {
    const files = named.map((file) => path.resolve(flags.cwd, file));
    for (const file of files) await mustExist(file, "file-missing", "The env file");
    return files;
  }
  if (/^(?:1|t|true)$/i.test(setting.COMPOSE_DISABLE_ENV_FILE ?? "")) return [];
  const file = path.join(folder, ".env");
  return (await isFolderOrMissing(file)) ? [] : [file];
}

/** The variables that steer Compose itself may stand in env files too, all but the one that names these. */
async function withComposeVariables(
  setting: Record<string, string>,
  envFiles: readonly string[],
): Promise<Record<string, string>> {
  const values: Record<string, string> = {};
  for (const file of envFiles) {
    Object.assign(values, (await readEnvFile(file, { ...values, ...setting }))?.values);
  }
  const found = Object.entries(values).filter(
    ([name]) => name.startsWith("COMPOSE_") && name !== "COMPOSE_ENV_FILES",
  );
  return { ...Object.fromEntries(found), ...setting };
}

function withoutUnset(env: Record<string, string | undefined>): Record<string, string> {
  const set = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return Object.fromEntries(set);
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

async function isFolderOrMissing(file: string): Promise<boolean> {
  return stat(file).then(
    (info) => info.isDirectory(),
    () => true,
  );
}
