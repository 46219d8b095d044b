import { normalizeReference, type SettingType, settingValueProblem } from "@drybag/format";
import { parsePartSize } from "../part-size.ts";
import { buildProblems } from "./build-rules.ts";
import type { ConfigDocument, Mistake, ValuePath } from "./config-document.ts";
import { type ConfigFile, type SettingInFile, VERSION_PATTERN } from "./config-schema.ts";
import { nameOf } from "./find-mistakes.ts";
import { checkTaskRules } from "./task-rules.ts";
import { updateProblems } from "./update-rules.ts";

/** What is wrong although the form is right: rules that a JSON Schema cannot say. */
export function checkRules(document: ConfigDocument, config: ConfigFile): Mistake[] {
  const mistakes: Mistake[] = [];
  const refuse = (path: ValuePath, message: string) =>
    mistakes.push({ position: document.positionOf(path), message: `${nameOf(path)} ${message}` });

  const version = document.textOf(["version"]);
  if (version !== undefined && !VERSION_PATTERN.test(version))
    refuse(["version"], `'${version}' cannot be a version`);
  if (config.partSize !== undefined && parsePartSize(config.partSize) === undefined) {
    refuse(["partSize"], "is too small: a part has at least 1M");
  }
  for (const [index, reference] of (config.images?.extra ?? []).entries()) {
    if (!isReference(reference))
      refuse(["images", "extra", index], `'${reference}' is no image name such as redis:8.6-alpine`);
  }
  for (const key of ["include", "exclude"] as const) {
    for (const [index, pattern] of (config.files?.[key] ?? []).entries()) {
      if (pattern.split("/").includes("..")) {
        refuse(["files", key, index], `'${pattern}' leads out of the folder of drybag.yaml`);
      }
    }
  }
  for (const { path, message } of buildProblems(config)) refuse(path, message);
  for (const { path, message } of updateProblems(config)) refuse(path, message);
  for (const [name, setting] of Object.entries(config.settings ?? {})) {
    for (const { key, message } of settingProblems(document, name, setting ?? {}))
      refuse(["settings", name, ...key], message);
  }
  return [...mistakes, ...checkTaskRules(document, config)];
}

function isReference(reference: string): boolean {
  try {
    normalizeReference(reference);
    return true;
  } catch {
    return false;
  }
}

interface SettingProblem {
  key: ValuePath;
  message: string;
}

function settingProblems(document: ConfigDocument, name: string, setting: SettingInFile): SettingProblem[] {
  if (/^(?:COMPOSE|DOCKER)_/.test(name)) {
    return [
      {
        key: [],
        message: "steers Docker itself and cannot be a setting; see 'project' for what Compose is told",
      },
    ];
  }
  const pattern = compiled(setting.pattern);
  if (pattern === null) return [{ key: ["pattern"], message: "is not a regular expression" }];
  const problems: SettingProblem[] = [];
  const type: SettingType | undefined = setting.type ?? (setting.choices ? "choice" : undefined);
  if (type === "choice" && setting.choices === undefined) {
    problems.push({ key: ["type"], message: "is choice: 'choices' must say which" });
  }
  if (type !== "choice" && setting.choices !== undefined) {
    problems.push({ key: ["choices"], message: `cannot go with the type ${type}` });
  }
  for (const key of ["minimum", "maximum"] as const) {
    if (setting[key] === undefined || type === "integer" || type === "port") continue;
    problems.push({ key: [key], message: "can only go with the type integer or port" });
  }
  const { minimum, maximum } = setting;
  if (minimum !== undefined && maximum !== undefined && minimum > maximum) {
    problems.push({ key: ["minimum"], message: "is larger than the maximum" });
  }
  const choices = (setting.choices ?? []).map(
    (_, index) => document.textOf(["settings", name, "choices", index]) ?? "",
  );
  const repeated = choices.findIndex((choice, index) => choices.indexOf(choice) < index);
  if (repeated !== -1) problems.push({ key: ["choices", repeated], message: "is there twice" });
  if (setting.default === undefined || problems.length > 0) return problems;
  if (setting.secret)
    return [{ key: ["default"], message: "would carry a secret in the bundle; the site has to say it" }];
  const value = document.textOf(["settings", name, "default"]) ?? "";
  const problem = settingValueProblem(value, { ...setting, type, choices });
  return problem === undefined ? [] : [{ key: ["default"], message: problem }];
}

function compiled(pattern: string | undefined): RegExp | null | undefined {
  if (pattern === undefined) return undefined;
  try {
    return new RegExp(pattern, "u");
  } catch {
    return null;
  }
}
