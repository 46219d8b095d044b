import { closingBrace, VARIABLE_NAME } from "./scan-variables.ts";

/**
 * Replaces variables as Compose does (compose-spec, interpolation). An unset one becomes nothing. `onUse` is told of each variable
 * whose value is used.
 */
export function interpolate(
  text: string,
  env: Readonly<Record<string, string>>,
  onUse: (name: string) => void = () => undefined,
): string {
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
      result += braced(text.slice(next + 2, end), env, onUse);
      at = end + 1;
    } else {
      const name = VARIABLE_NAME.exec(text.slice(next + 1))?.[0];
      if (name !== undefined && env[name] !== undefined) onUse(name);
      result += name === undefined ? "$" : (env[name] ?? "");
      at = next + 1 + (name?.length ?? 0);
    }
  }
  return result;
}

function braced(
  inside: string,
  env: Readonly<Record<string, string>>,
  onUse: (name: string) => void,
): string {
  const name = VARIABLE_NAME.exec(inside)?.[0] ?? "";
  const match = /^(:?)([-?+])([\s\S]*)$/.exec(inside.slice(name.length));
  const value = env[name];
  if (!match) {
    if (value !== undefined) onUse(name);
    return value ?? "";
  }
  const isSet = value !== undefined && (match[1] === "" || value !== "");
  const alternative = match[3] ?? "";
  if (isSet) onUse(name);
  if (match[2] === "+") return isSet ? interpolate(alternative, env, onUse) : "";
  if (match[2] === "-" && !isSet) return interpolate(alternative, env, onUse);
  return value ?? "";
}
