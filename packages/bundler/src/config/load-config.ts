import path from "node:path";
import type { ConfigDocument, Mistake, ValuePath } from "./config-document.ts";
import { configInvalid, readConfigDocument } from "./config-document.ts";
import { checkRules } from "./config-rules.ts";
import type { ConfigFile, SettingInFile } from "./config-schema.ts";
import { declaredBuilds, declaredFrappe } from "./declared-builds.ts";
import { declaredTasks } from "./declared-tasks.ts";
import { declaredUpdates } from "./declared-updates.ts";
import { checkForm } from "./find-mistakes.ts";
import type { DeclaredSetting, Placed, ProjectConfig } from "./project-config.ts";

/** drybag.yaml, read and checked; paths are absolute. */
export interface Config {
  name: string | undefined;
  version: string | undefined;
  platform: string | undefined;
  partSize: string | undefined;
  /** The flags of docker compose that it stands for. */
  compose: {
    files: string[];
    envFiles: string[];
    profiles: string[];
    projectName: string | undefined;
    projectDirectory: string | undefined;
  };
  project: ProjectConfig;
}

/** Reads a drybag.yaml. Throws `file-missing`, `file-unreadable`, and `config-invalid` with all mistakes at once. */
export async function loadConfig(file: string, shownAs = file): Promise<Config> {
  return configOf(await readConfigDocument(file, shownAs));
}

/** Throws `config-invalid`. */
export function configOf(document: ConfigDocument): Config {
  const checked = checkForm(document);
  const mistakes: Mistake[] = "config" in checked ? checkRules(document, checked.config) : checked.mistakes;
  if (!("config" in checked) || mistakes.length > 0) throw configInvalid(document.shownAs, mistakes);
  const { config } = checked;
  const folder = path.dirname(document.file);
  const resolve = (name: string) => path.resolve(folder, name);
  return {
    name: config.name,
    version: document.textOf(["version"]),
    platform: config.platform,
    partSize: config.partSize,
    compose: {
      files: (config.project?.files ?? []).map(resolve),
      envFiles: (config.project?.envFiles ?? []).map(resolve),
      profiles: config.project?.profiles ?? [],
      projectName: config.project?.name,
      projectDirectory:
        config.project?.directory === undefined ? undefined : resolve(config.project.directory),
    },
    project: projectConfig(document, config, folder),
  };
}

function projectConfig(document: ConfigDocument, config: ConfigFile, folder: string): ProjectConfig {
  const placed = (path: ValuePath, texts: readonly string[] | null | undefined): Placed[] =>
    (texts ?? []).map((text, index) => ({ text, position: document.positionOf([...path, index]) }));
  return {
    file: document.file,
    folder,
    extraImages: placed(["images", "extra"], config.images?.extra),
    include: placed(["files", "include"], config.files?.include),
    exclude: placed(["files", "exclude"], config.files?.exclude),
    settings: Object.entries(config.settings ?? {}).map(([name, setting]) =>
      declared(document, name, setting ?? {}),
    ),
    oneShots: placed(["oneShots"], config.oneShots),
    compose:
      config.compose === undefined || /^(carry|none)$/.test(config.compose)
        ? config.compose
        : path.resolve(folder, config.compose),
    builds: declaredBuilds(document, config.builds),
    frappe: config.frappe ? declaredFrappe(document, config.frappe) : undefined,
    updates: declaredUpdates(document, config),
    ...declaredTasks(document, config),
  };
}

function declared(document: ConfigDocument, name: string, setting: SettingInFile): DeclaredSetting {
  const { default: _default, choices, type, description, required, secret, ...form } = setting;
  const { pattern, minimum, maximum } = form;
  const text = (...key: (string | number)[]) => document.textOf(["settings", name, ...key]);
  const byDefault = text("default");
  return {
    name,
    position: document.positionOfKey(["settings"], name),
    ...(description !== undefined && { description }),
    ...(byDefault !== undefined && { default: byDefault }),
    ...(required !== undefined && { required }),
    ...(secret !== undefined && { secret }),
    ...((type ?? choices) !== undefined && { type: type ?? "choice" }),
    ...(choices !== undefined && { choices: choices.map((_, index) => text("choices", index) ?? "") }),
    ...(pattern !== undefined && { pattern }),
    ...(minimum !== undefined && { minimum }),
    ...(maximum !== undefined && { maximum }),
  };
}
