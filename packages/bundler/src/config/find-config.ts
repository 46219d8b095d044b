import { stat } from "node:fs/promises";
import path from "node:path";
import { DEFAULT_FILES } from "../compose/find-compose-files.ts";
import { type Config, loadConfig } from "./load-config.ts";

export const CONFIG_NAMES = ["drybag.yaml", "drybag.yml"];

export interface ConfigFlags {
  /** `--config`. */
  config?: string;
  file?: string[];
  projectDirectory?: string;
}

/**
 * The drybag.yaml of a project: the one that is named, else the nearest, from the project's folder upwards. One further up than
 * a Compose file that Compose would find first belongs to another project, unless its `project.files` names that file.
 * undefined where there is none. Throws as `loadConfig`.
 */
export async function findConfig(flags: ConfigFlags, cwd: string): Promise<Config | undefined> {
  if (flags.config !== undefined) return loadConfig(path.resolve(cwd, flags.config), flags.config);
  const named =
    flags.projectDirectory ?? (flags.file?.[0] === undefined ? undefined : path.dirname(flags.file[0]));
  let nearerProject: string | undefined;
  for (let folder = path.resolve(cwd, named ?? "."); ; folder = path.dirname(folder)) {
    const found = await firstFile(folder, CONFIG_NAMES);
    if (found !== undefined) {
      const config = await loadConfig(found, path.relative(cwd, found));
      return nearerProject === undefined || config.compose.files.includes(nearerProject) ? config : undefined;
    }
    if (named === undefined) nearerProject ??= await firstFile(folder, DEFAULT_FILES);
    if (folder === path.dirname(folder)) return undefined;
  }
}

async function firstFile(folder: string, names: readonly string[]): Promise<string | undefined> {
  for (const name of names) {
    const file = path.join(folder, name);
    if (await isFile(file)) return file;
  }
  return undefined;
}

async function isFile(file: string): Promise<boolean> {
  return stat(file).then(
    (info) => info.isFile(),
    () => false,
  );
}
