import { DrybagError, type Finding } from "@drybag/errors";
import type { Setting } from "@drybag/format";
import { nearestName } from "@drybag/terminal";
import { generateSecret } from "./generate-secret.ts";
import { settingProblem } from "./setting-problem.ts";

export interface ResolvedSettings {
  /** The site's answers, by name. Variables that keep their default are not among them. */
  answers: Map<string, string>;
  /** Required, without an answer and without a default. */
  missing: Setting[];
}

/**
 * What the site has answered: what was given now, else what was remembered. An answer that this bundle does not ask for is
 * remembered all the same: the next one may. Throws `setting-invalid`.
 */
export function resolveSettings(input: {
  settings: readonly Setting[];
  remembered: ReadonlyMap<string, string>;
  given: ReadonlyMap<string, string>;
}): ResolvedSettings {
  const names = input.settings.map(({ name }) => name);
  const unknown = [...input.given.keys()].find((name) => !names.includes(name));
  if (unknown !== undefined) throw unknownSetting(unknown, names);
  const answers = new Map([...input.remembered, ...input.given]);
  for (const setting of input.settings) refuseInvalid(setting, answers.get(setting.name));
  return { answers, missing: input.settings.filter((setting) => isMissing(setting, answers)) };
}

function refuseInvalid(setting: Setting, value: string | undefined): void {
  const problem = value === undefined ? undefined : settingProblem(setting, value);
  if (problem === undefined) return;
  throw new DrybagError("setting-invalid", `The value of ${setting.name} ${problem}.`, {
    hint: `Give another one: --set ${setting.name}=...`,
  });
}

/** Compose takes an empty value for none in `${NAME:?}`. */
function isMissing({ name, required, default: byDefault }: Setting, answers: ReadonlyMap<string, string>) {
  return required && !(answers.get(name) ?? byDefault);
}

function unknownSetting(name: string, names: readonly string[]): DrybagError {
  const nearest = nearestName(name, names);
  return new DrybagError("setting-invalid", `This stack has no setting ${name}.`, {
    hint:
      nearest !== undefined
        ? `Did you mean ${nearest}?`
        : names.length > 0
          ? `It has: ${names.join(", ")}.`
          : "It has no settings at all.",
  });
}

/** For when nobody can be asked. */
export function missingSettingFindings(missing: readonly Setting[]): Finding[] {
  return missing.map((setting) => ({
    code: "setting-missing",
    severity: "error",
    message: `The setting ${setting.name} has no value${setting.description ? `: ${setting.description}` : ""}.`,
    remedy: howToGive(setting),
  }));
}

/** A secret on a command line is seen by every user of the server. */
function howToGive(setting: Setting): string {
  if (!setting.secret) return `Give it one: --set ${setting.name}=...`;
  const madeUp = generateSecret(setting) === undefined ? "" : ", or have one made up: --generate-secrets";
  return `Give it one in a file with a line ${setting.name}="...": --values FILE${madeUp}.`;
}

/** `NAME=value` as given to `--set`. Throws `usage`. */
export function parseAssignment(text: string): [name: string, value: string] {
  const match = /^([A-Za-z_][A-Za-z0-9_]*)=([\s\S]*)$/.exec(text);
  if (match?.[1] === undefined || match[2] === undefined) {
    const name = text.split("=")[0] ?? "";
    throw new DrybagError("usage", `--set takes NAME=value, not '${name}'`, {
      hint: /^[A-Za-z_][A-Za-z0-9_]*$/.test(name)
        ? `write --set ${name}=..., without spaces around '='`
        : "a name has letters, digits and '_', and '=' stands behind it",
    });
  }
  return [match[1], match[2]];
}
