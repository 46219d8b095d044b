import { stringify } from "yaml";
import { SCHEMA_ADDRESS } from "../config/config-schema.ts";
import type { ConfigPlan, PlannedSetting } from "./plan-config.ts";

/** A drybag.yaml with a word about each key, also about those that it does not use. */
export function configText(plan: ConfigPlan): string {
  return `# yaml-language-server: $schema=${SCHEMA_ADDRESS}
# What drybag packs, and how. Paths are relative to this file. docs/configuration.md of drybag describes every key.

# Name of the stack, and of its folder on the server.
name: ${scalar(plan.name)}
# version: "1.0"            # default: date and commit of the git work tree

${projectLines(plan).join("\n")}

# Variables that the site answers. Every variable of the Compose files is one; here they get a form, a default, a description.
# type: string, port, hostname, path, integer, boolean, choice (with choices: [a, b]); pattern: a regular expression.
${settingLines(plan).join("\n")}

# Images that no service names: of tools, of jobs, of what a container starts itself.
# images:
#   extra: [busybox:1.36]

# Files that the Compose files do not name, and what not to carry. '**/' stands for any depth.
# files:
#   include: [docs/runbook.md]
#   exclude: ["**/*.log"]

# Services that run once and end with exit code 0, where the Compose files do not show it.
${(plan.oneShots.length === 0 ? ["# oneShots: [migrate]"] : list("oneShots", plan.oneShots)).join("\n")}

# platform: linux/amd64     # of the server; default: as the engine that packs
# partSize: 3900M           # largest file; default: 3.9G, which FAT32 takes; none: one file
`;
}

function projectLines(plan: ConfigPlan): string[] {
  const { files, envFiles, profiles } = plan;
  if (files === undefined && envFiles === undefined && profiles.length === 0)
    return commented(emptyProject(plan));
  return [
    "project:",
    "  # Compose files in the order of -f: later ones override earlier ones.",
    ...(files === undefined
      ? commented([`files: ${inline(plan.composeFiles)}  # default: ${plan.filesFrom}`])
      : ["files:", ...items(files), ...plan.otherFiles.map((file) => `  # - ${scalar(file)}`)]
    ).map(indent),
    "  # Env files in the order of --env-file: later ones override earlier ones.",
    ...(envFiles === undefined
      ? commented([`envFiles: [.env]  # default: ${plan.envFilesFrom}`])
      : list("envFiles", envFiles)
    ).map(indent),
    "  # Profiles to pack and enable; left out, the images of all are packed.",
    ...(profiles.length === 0
      ? commented([`profiles: ${inline(plan.knownProfiles)}`])
      : list("profiles", profiles)
    ).map(indent),
  ];
}

/** What Compose takes by itself, for whoever wants to change it. */
function emptyProject(plan: ConfigPlan): string[] {
  return [
    "project:",
    `  files: ${inline([...plan.composeFiles, ...plan.otherFiles])}  # default: ${plan.filesFrom}`,
    `  envFiles: [.env]  # default: ${plan.envFilesFrom}`,
    `  profiles: ${inline(plan.knownProfiles)}  # default: the images of all profiles`,
  ];
}

function indent(line: string): string {
  return `  ${line}`;
}

function commented(lines: readonly string[]): string[] {
  return lines.map((line) => `# ${line}`);
}

function items(texts: readonly string[]): string[] {
  return texts.map((text) => `  - ${scalar(text)}`);
}

function inline(texts: readonly string[]): string {
  return `[${texts.map(scalar).join(", ")}]`;
}

function list(key: string, texts: readonly string[]): string[] {
  return [`${key}:`, ...items(texts)];
}

function settingLines({ asked, optional }: ConfigPlan): string[] {
  const rest = optional.map((setting) => {
    const value = setting.secret
      ? "a secret"
      : setting.default
        ? `now ${shorten(setting.default)}`
        : "empty now";
    return `${setting.name}: {${setting.type === undefined ? "" : ` type: ${setting.type} `}}  # ${value}`;
  });
  if (asked.length === 0) return commented(["settings:", ...rest.map(indent)]);
  return ["settings:", ...asked.flatMap(settingEntry).map(indent), ...commented(rest).map(indent)];
}

function settingEntry({ name, description, type, secret }: PlannedSetting): string[] {
  return [
    `${name}:`,
    ...(description === undefined ? [] : [`  description: ${scalar(description)}`]),
    ...(type === undefined ? [] : [`  type: ${type}`]),
    ...(secret ? ["  secret: true"] : []),
    "  required: true",
  ];
}

function shorten(text: string): string {
  const line = text.replace(/\s+/g, " ");
  return line.length > 40 ? `${line.slice(0, 37)}...` : line;
}

/** A text as YAML takes it back, on one line. */
function scalar(text: string): string {
  const written = stringify(text, { lineWidth: 0 }).trimEnd();
  return written.includes("\n") || /[[\]{},]/.test(written) ? JSON.stringify(text) : written;
}
