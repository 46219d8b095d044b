import { readFile } from "node:fs/promises";
import { writeFileAtomically } from "@drybag/format";

/** Puts variables into an env file of the user's; everything else, comments too, stays as it is. Makes the file if there is none. */
export async function writeEnv(file: string, values: Readonly<Record<string, string>>): Promise<void> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
  const changed = changeEnv(text, values);
  if (changed !== text) await writeFileAtomically(file, changed);
}

/** The last line that sets a variable counts, so that is the one that changes; commented-out ones are comments. */
export function changeEnv(text: string, values: Readonly<Record<string, string>>): string {
  const ending = text.includes("\r\n") ? "\r\n" : "\n";
  const lines = text.split(/\r?\n/);
  const added: string[] = [];
  for (const [name, value] of Object.entries(values)) {
    const index = lines.findLastIndex((line) => ASSIGNMENT.exec(line)?.[2] === name);
    if (index === -1) added.push(`${name}=${written(value)}`);
    else lines[index] = changeLine(lines[index] ?? "", value);
  }
  if (added.length > 0) {
    if (lines.at(-1) === "") lines.pop();
    lines.push(...added, "");
  }
  return lines.join(ending);
}

const ASSIGNMENT = /^(\s*(?:export\s+)?)([A-Za-z_][A-Za-z0-9_.-]*)(\s*[=:]\s*)(.*)$/;

function changeLine(line: string, value: string): string {
  const [, before = "", name = "", equals = "", rest = ""] = ASSIGNMENT.exec(line) ?? [];
  // A value in quotes ends with them; one without ends before ` #`.
  const [, , comment = ""] = /^("(?:\\.|[^"\\])*"|'[^']*'|.*?)(\s+#.*)?$/.exec(rest) ?? [];
  return `${before}${name}${equals}${written(value)}${comment}`;
}

function written(value: string): string {
  return /^[A-Za-z0-9_./:@+-]*$/.test(value) ? value : `'${value.replaceAll("'", "\\'")}'`;
}
