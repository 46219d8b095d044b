import type { Setting, SettingType } from "./manifest.ts";
import { matchInTime } from "./match-in-time.ts";

/** What a value has to look like. */
export type SettingForm = {
  [Key in "type" | "choices" | "pattern" | "minimum" | "maximum"]?: Setting[Key] | undefined;
};

/** Why a value is not what its setting has to be, in words that fit behind a name; an empty one is none at all. */
export function settingValueProblem(value: string, form: SettingForm): string | undefined {
  if (value === "") return undefined;
  const problem = form.type && PROBLEMS[form.type](value, form);
  if (problem !== undefined) return problem;
  const { minimum, maximum } = form;
  if (minimum !== undefined && Number(value) < minimum) return `must be ${minimum} or more`;
  if (maximum !== undefined && Number(value) > maximum) return `must be ${maximum} or less`;
  if (form.pattern === undefined) return undefined;
  switch (matchInTime(`^(?:${form.pattern})$`, "u", [value])) {
    case "match":
      return undefined;
    case "no match":
      return `must match ${form.pattern}`;
    case "unknown":
      return `must match ${form.pattern}, and comparing it with that takes too long`;
  }
}

const HOST_LABEL = /^[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/;

const PROBLEMS: Record<SettingType, (value: string, form: SettingForm) => string | undefined> = {
  string: () => undefined,
  port: (value) =>
    /^[0-9]{1,5}$/.test(value) && Number(value) >= 1 && Number(value) <= 65_535
      ? undefined
      : "must be a port from 1 to 65535",
  hostname: (value) => (isHostname(value) ? undefined : "must be a host name or an IP address"),
  path: (value) => (value.startsWith("/") ? undefined : "must be an absolute path"),
  integer: (value) => (/^-?[0-9]{1,18}$/.test(value) ? undefined : "must be a whole number"),
  boolean: (value) => (value === "true" || value === "false" ? undefined : "must be true or false"),
  choice: (value, { choices = [] }) =>
    choices.includes(value) ? undefined : `must be one of ${choices.join(", ")}`,
};

function isHostname(value: string): boolean {
  if (/^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*$/.test(value)) return URL.canParse(`http://[${value}]/`);
  return value.length <= 253 && value.split(".").every((label) => HOST_LABEL.test(label));
}
