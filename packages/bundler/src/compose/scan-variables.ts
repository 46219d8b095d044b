/** One `$NAME` or `${NAME…}` in a Compose file (compose-spec, interpolation). */
export interface VariableUse {
  name: string;
  /** `${NAME:?…}` or `${NAME?…}`. */
  required: boolean;
  /** `${NAME?…}` and `${NAME-…}`: an empty value will do. */
  mayBeEmpty?: boolean;
  /** What `${NAME:?message}` says. */
  message?: string;
  /** `${NAME:-…}` or `${NAME-…}`. */
  default?: string;
}

/** Name of a variable, at the start of a text. */
export const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*/;

/** All variables that a text refers to, nested ones too, in the order in which they stand. `$$` is a dollar sign. */
export function scanVariables(text: string): VariableUse[] {
  const uses: VariableUse[] = [];
  for (let at = text.indexOf("$"); at !== -1 && at < text.length; at = text.indexOf("$", at)) {
    if (text[at + 1] === "$") {
      at += 2;
      continue;
    }
    if (text[at + 1] === "{") {
      const end = closingBrace(text, at + 2);
      uses.push(...parseBraced(text.slice(at + 2, end)));
      at = end;
      continue;
    }
    const name = VARIABLE_NAME.exec(text.slice(at + 1, at + 256))?.[0];
    if (name !== undefined) uses.push({ name, required: false });
    at += 1 + (name?.length ?? 0);
  }
  return uses;
}

function parseBraced(inside: string): VariableUse[] {
  const name = VARIABLE_NAME.exec(inside)?.[0];
  if (name === undefined) return [];
  const match = /^(:?[-?+])([\s\S]*)$/.exec(inside.slice(name.length));
  const operator = match?.[1] ?? "";
  const rest = match?.[2] ?? "";
  return [
    {
      name,
      required: operator.endsWith("?"),
      ...(operator === "?" || operator === "-" ? { mayBeEmpty: true } : {}),
      ...(operator.endsWith("?") && rest !== "" ? { message: rest } : {}),
      ...(operator.endsWith("-") ? { default: rest } : {}),
    },
    ...scanVariables(rest),
  ];
}

/** Index of the brace that ends `${…`, nested ones skipped; the end of the text where there is none. */
export function closingBrace(text: string, start: number): number {
  let depth = 1;
  for (let at = start; at < text.length; at += 1) {
    if (text[at] === "{" && text[at - 1] === "$") depth += 1;
    if (text[at] === "}") depth -= 1;
    if (depth === 0) return at;
  }
  return text.length;
}
