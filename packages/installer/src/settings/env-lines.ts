import { DrybagError } from "@drybag/errors";

/**
 * A line `NAME="value"` that Compose reads back exactly: within double quotes it takes a backslash, a double quote and a dollar
 * sign as they are when each has a backslash in front (compose-go, dotenv/parser.go; measured with 2.40.3).
 * Throws `setting-invalid` for what no line can hold.
 */
export function envLine(name: string, value: string): string {
  const problem = envValueProblem(value);
  if (problem !== undefined) throw new DrybagError("setting-invalid", `The value of ${name} ${problem}.`);
  return `${name}="${value.replace(/[\\"$]/g, "\\$&")}"\n`;
}

/** Why a value cannot be kept, in words that fit behind its name. */
export function envValueProblem(value: string): string | undefined {
  if (/[\n\r]/.test(value)) return "has more than one line";
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  if (/[\u0000-\u0008\u000b-\u001f\u007f]/.test(value)) return "has control characters";
  if (!value.isWellFormed()) return "is not valid Unicode";
  return undefined;
}

const LINE = /^([A-Za-z_][A-Za-z0-9_]*)=(?:"((?:[^"\\]|\\.)*)"|'([^'\\]*)'|([^\s"'\\$#`]*))$/;

/**
 * Reads lines that `envLine` wrote, or that a person wrote where there is only one way to read them. Throws `setting-invalid`
 * for others: an answer that is passed over in silence is worse than none.
 */
export function parseEnvLines(text: string, file: string): Map<string, string> {
  const values = new Map<string, string>();
  for (const [index, line] of text.split("\n").entries()) {
    if (/^\s*(#.*)?$/.test(line)) continue;
    const [, name, double, single, plain] = LINE.exec(line.trim()) ?? [];
    if (name === undefined || (double !== undefined && /(?<!\\)(\\\\)*\$/.test(double))) {
      throw new DrybagError("setting-invalid", `Line ${index + 1} of ${file} cannot be read.`, {
        hint: 'Write it as NAME="value", with a backslash before each ", \\ and $ in the value.',
      });
    }
    values.set(name, double?.replace(/\\(.)/g, "$1") ?? single ?? plain ?? "");
  }
  return values;
}
