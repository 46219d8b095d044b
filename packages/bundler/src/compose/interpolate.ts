import { closingBrace, VARIABLE_NAME } from "./scan-variables.ts";

/** Replaces variables as Compose does (compose-spec, interpolation). An unset one becomes nothing. */
export function interpolate(text: string, env: Readonly<Record<string, string>>): string {
  let result = "";
  for (let at = 0; at < text.length; ) {
    const next = text.indexOf("$", at);
    if (next === -1) return result + text.slice(at);
    result += text.slice(at, next);
    if (text[next + 1] === "$") {
      result += "$";
      at = next + 2;
    } else if (text[next + 1] === "{") {
      const end = closingBrace(text, next + 2);
      result += braced(text.slice(next + 2, end), env);
      at = end + 1;
    } else {
      const name = VARIABLE_NAME.exec(text.slice(next + 1))?.[0];
      result += name === undefined ? "$" : (env[name] ?? "");
      at = next + 1 + (name?.length ?? 0);
    }
  }
  return result;
}

function braced(inside: string, env: Readonly<Record<string, string>>): string {
  const name = VARIABLE_NAME.exec(inside)?.[0] ?? "";
  const match = /^(:?)([-?+])([\s\S]*)$/.exec(inside.slice(name.length));
  const value = env[name];
  if (!match) return value ?? "";
  const isSet = value !== undefined && (match[1] === "" || value !== "");
  const alternative = match[3] ?? "";
  if (match[2] === "+") return isSet ? interpolate(alternative, env) : "";
  if (match[2] === "-" && !isSet) return interpolate(alternative, env);
  return value ?? "";
}
