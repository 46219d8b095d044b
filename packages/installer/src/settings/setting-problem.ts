import type { Setting } from "@drybag/format";
import { envValueProblem } from "./env-lines.ts";

/** Why a value cannot be that of a setting, in words that fit behind its name; undefined when it can. */
export function settingProblem(setting: Setting, value: string): string | undefined {
  return envValueProblem(value) ?? (value === "" ? undefined : typeProblem(setting, value));
}

function typeProblem({ type, choices, pattern }: Setting, value: string): string | undefined {
  if (pattern !== undefined && !new RegExp(`^(?:${pattern})$`, "u").test(value)) {
    return `does not match ${pattern}`;
  }
  switch (type) {
    case "port":
      return isPort(value) ? undefined : "is not a port from 1 to 65535";
    case "integer":
      return /^-?\d{1,15}$/.test(value) ? undefined : "is not a whole number";
    case "boolean":
      return value === "true" || value === "false" ? undefined : "is neither true nor false";
    case "hostname":
      return HOSTNAME.test(value) && value.length <= 253 ? undefined : "is not a host name";
    case "choice":
      return choices?.includes(value) ? undefined : `is none of ${choices?.join(", ")}`;
    default:
      return undefined;
  }
}

/** RFC 1123: labels of letters, digits and inner dashes. */
const HOSTNAME = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/i;

function isPort(value: string): boolean {
  return /^\d{1,5}$/.test(value) && Number(value) >= 1 && Number(value) <= 65_535;
}
