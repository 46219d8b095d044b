import { type Setting, settingValueProblem } from "@drybag/format";
import { envValueProblem } from "./env-lines.ts";

/** Why a value cannot be that of a setting, in words that fit behind its name; undefined when it can. */
export function settingProblem(setting: Setting, value: string): string | undefined {
  return envValueProblem(value) ?? settingValueProblem(value, setting);
}
