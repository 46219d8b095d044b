import type { Finding } from "@drybag/errors";
import { type Setting, toVisibleLine } from "@drybag/format";
import { nearestName } from "@drybag/terminal";
import type { EnvFile } from "../compose/env-file.ts";
import type { VariableUse } from "../compose/scan-variables.ts";
import type { DeclaredSetting } from "../config/project-config.ts";

export interface CollectedSettings {
  /** Sorted by name. */
  settings: Setting[];
  packedEnvironment: Record<string, string>;
  findings: Finding[];
}

export interface SettingSources {
  /** Every variable that the project refers to. */
  uses: readonly VariableUse[];
  /** What Compose interpolates with when packing. */
  environment: Readonly<Record<string, string>>;
  /** The part of it that is this program's own, and so is not on the site. */
  ownEnvironment: Readonly<Record<string, string | undefined>>;
  /** Required variables without a value. */
  unknown: readonly string[];
  /** Later ones win. */
  envFiles?: readonly EnvFile[];
  /** What drybag.yaml says about them. */
  declared?: readonly DeclaredSetting[];
  /** Names of those that tasks and checks need, whether or not the project refers to them. */
  needed?: readonly string[];
}

/** Variables that every machine has; their value here says nothing about the site. */
const OF_THE_MACHINE = new Set([
  "HOME",
  "PWD",
  "USER",
  "UID",
  "GID",
  "HOSTNAME",
  "PATH",
  "SHELL",
  "LANG",
  "TZ",
]);

const SECRET = /(?:^|_)(?:PASS(?:WORD|WD|PHRASE)?|PWD|SECRET|TOKEN|KEY|CREDENTIALS?)(?:_|$)/i;

/** Makes the site's settings of the variables that a project refers to, and of what drybag.yaml says about them. */
export function collectSettings(sources: SettingSources): CollectedSettings {
  const { ownEnvironment, declared = [], needed = [] } = sources;
  const declaredByName = new Map(declared.map((setting) => [setting.name, setting]));
  const used = sources.uses.map((use) => use.name);
  const names = [
    ...new Set([...used.filter((name) => declaredByName.has(name) || isOfTheSite(name)), ...needed]),
  ];
  const packedEnvironment: Record<string, string> = {};
  const settings = names.sort().map((name) => {
    const own = declaredByName.get(name);
    const setting = describeSetting(sources, name, own);
    const carried = ownEnvironment[name] === undefined ? own?.default : packedValue(sources, name);
    if (!setting.secret && carried !== undefined) packedEnvironment[name] = carried;
    return setting;
  });
  const findings = declared.filter(({ name }) => !names.includes(name)).map((each) => unused(each, names));
  return { settings, packedEnvironment, findings };
}

export function looksSecret(name: string): boolean {
  // The name of a file that holds a secret is none.
  return SECRET.test(name) && !/_(?:FILE|PATH|DIR)$/i.test(name);
}

/** Whether a variable may differ from site to site. */
export function isOfTheSite(name: string): boolean {
  return !OF_THE_MACHINE.has(name) && !name.startsWith("COMPOSE_");
}

function describeSetting(sources: SettingSources, name: string, own: DeclaredSetting | undefined): Setting {
  const secret = own?.secret ?? looksSecret(name);
  const isOwn = sources.ownEnvironment[name] !== undefined;
  const byDefault = shownDefault(sources, name);
  const description = printable(own?.description ?? describe(sources, name));
  return {
    name,
    // A secret of the packing machine's environment is not carried: the site must say its own.
    required:
      sources.unknown.includes(name) ||
      (isOwn && secret) ||
      (own?.required ?? isOnlyForTasks(sources, name, byDefault)),
    secret,
    ...(byDefault === undefined || secret ? {} : { default: byDefault }),
    ...(description === undefined ? {} : { description }),
    ...(own?.type === undefined ? {} : { type: own.type }),
    ...(own?.choices === undefined ? {} : { choices: own.choices }),
    ...(own?.pattern === undefined ? {} : { pattern: own.pattern }),
    ...(own?.minimum === undefined ? {} : { minimum: own.minimum }),
    ...(own?.maximum === undefined ? {} : { maximum: own.maximum }),
  };
}

/** No Compose file gives it a meaning without a value, so the task needs one. */
function isOnlyForTasks({ uses, environment }: SettingSources, name: string, byDefault: string | undefined) {
  return byDefault === undefined && environment[name] === undefined && !uses.some((use) => use.name === name);
}

/** What the variable has when packing; drybag.yaml's default is in the environment already. */
function packedValue({ environment, uses }: SettingSources, name: string): string | undefined {
  return environment[name] ?? inlineDefault(uses, name)?.default;
}

/** The value that counts unless the site says otherwise: an empty one falls back to `${NAME:-default}`. */
function shownDefault(sources: SettingSources, name: string): string | undefined {
  const value = packedValue(sources, name);
  if (value !== "") return value;
  const inline = inlineDefault(sources.uses, name);
  return inline?.mayBeEmpty ? value : (inline?.default ?? value);
}

function inlineDefault(uses: readonly VariableUse[], name: string): VariableUse | undefined {
  const found = uses.find((use) => use.name === name && use.default !== undefined);
  // A default made of other variables has no value of its own.
  return found?.default?.includes("$") ? undefined : found;
}

/** The comment above it in the env file that counts, or the message of `${NAME:?message}`. */
function describe({ envFiles = [], uses }: SettingSources, name: string): string | undefined {
  const comments = envFiles.map((file) => file.commentOf(name)).filter((comment) => comment !== undefined);
  const told = uses.filter((use) => use.name === name).map((use) => use.message);
  return comments.at(-1) ?? told.find((message) => message !== undefined && !COMPLAINT.test(message));
}

/** Says that something is missing, not what it is: `${NAME:?NAME not set}`. */
const COMPLAINT =
  /\b(?:not|unset|undefined|missing|required|must|needed)\b|\bno .* (?:set|given)\b|\bset \w+\b/i;

/** Comments may hold what a manifest and a terminal may not. */
function printable(text: string | undefined): string | undefined {
  const plain = text === undefined ? undefined : toVisibleLine(text);
  return plain && /[\p{L}\p{N}]/u.test(plain) ? plain : undefined;
}

function unused({ name, position }: DeclaredSetting, names: readonly string[]): Finding {
  const meant = nearestName(name, names);
  return {
    code: "setting-unused",
    severity: "warning",
    message: `The setting ${name} of drybag.yaml changes nothing: no Compose file has \${${name}}.`,
    remedy: meant === undefined ? "Use it in a Compose file, or take it out." : `Did you mean ${meant}?`,
    position,
  };
}
