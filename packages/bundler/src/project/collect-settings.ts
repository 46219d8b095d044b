import type { Setting } from "@drybag/format";
import type { VariableUse } from "../compose/scan-variables.ts";

export interface CollectedSettings {
  settings: Setting[];
  packedEnvironment: Record<string, string>;
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

/**
 * Makes the site's settings of the variables that a project refers to.
 * @param environment what Compose interpolates with when packing
 * @param ownEnvironment the part of it that is this program's own, and so is not on the site
 * @param unknown required variables without a value
 */
export function collectSettings(
  uses: readonly VariableUse[],
  environment: Readonly<Record<string, string>>,
  ownEnvironment: Readonly<Record<string, string | undefined>>,
  unknown: readonly string[],
): CollectedSettings {
  const settings = new Map<string, Setting>();
  const packedEnvironment: Record<string, string> = {};
  for (const use of uses) {
    if (settings.has(use.name) || OF_THE_MACHINE.has(use.name) || use.name.startsWith("COMPOSE_")) continue;
    const isOwn = ownEnvironment[use.name] !== undefined;
    const secret = looksSecret(use.name);
    const value = environment[use.name] ?? inlineDefault(uses, use.name);
    if (isOwn && !secret && value !== undefined) packedEnvironment[use.name] = value;
    settings.set(use.name, {
      name: use.name,
      // A secret of the packing machine's environment is not carried: the site must say its own.
      required: unknown.includes(use.name) || (isOwn && secret),
      secret,
      ...(value === undefined || secret ? {} : { default: value }),
    });
  }
  return {
    settings: [...settings.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
    packedEnvironment,
  };
}

export function looksSecret(name: string): boolean {
  return SECRET.test(name);
}

function inlineDefault(uses: readonly VariableUse[], name: string): string | undefined {
  const found = uses.find((use) => use.name === name && use.default !== undefined)?.default;
  // A default made of other variables has no value of its own.
  return found?.includes("$") ? undefined : found;
}
