import { randomInt } from "node:crypto";
import type { Setting } from "@drybag/format";
import type { ResolvedSettings } from "./resolve-settings.ts";
import { settingProblem } from "./setting-problem.ts";

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/** 62 letters 32 times are 190 bits. */
const LENGTH = 32;

/** A secret that nobody has to know: letters and digits, so that it fits every place. Undefined where the setting wants something else. */
export function generateSecret(setting: Setting): string | undefined {
  if (!setting.secret) return undefined;
  const value = Array.from({ length: LENGTH }, () => LETTERS[randomInt(LETTERS.length)]).join("");
  return settingProblem(setting, value) === undefined ? value : undefined;
}

/** Makes up the secrets that are missing. What was given or remembered stays: data may be locked with it. */
export function withGeneratedSecrets({ answers, missing }: ResolvedSettings): ResolvedSettings {
  const filled = new Map(answers);
  for (const setting of missing) {
    const value = generateSecret(setting);
    if (value !== undefined) filled.set(setting.name, value);
  }
  return { answers: filled, missing: missing.filter(({ name }) => !filled.get(name)) };
}
