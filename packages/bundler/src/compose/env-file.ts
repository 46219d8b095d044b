import { readFile } from "node:fs/promises";
import { parseEnv } from "node:util";
import type { Position } from "./compose-document.ts";
import { interpolate } from "./interpolate.ts";

/** One env file, read for what it says and where. */
export interface EnvFile {
  path: string;
  values: Record<string, string>;
  /** Where the value of a variable begins; the last line counts where it stands twice. */
  positionOf(name: string): Position | undefined;
  /** The comment lines right above a variable, as one text. */
  commentOf(name: string): string | undefined;
}

/** Reads an env file; undefined where there is none. */
export async function readEnvFile(
  file: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<EnvFile | undefined> {
  const text = await readFile(file, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const lines = text.split(/\r?\n/);
  const values: Record<string, string> = {};
  const assigned = Object.entries(parseEnv(text)).map(([name, value]) => ({
    name,
    value,
    at: lineOf(lines, name),
  }));
  // Node gives them in an order of its own; a value may be made of those above it.
  assigned.sort((a, b) => (a.at?.index ?? 0) - (b.at?.index ?? 0));
  for (const { name, value, at } of assigned) {
    const isLiteral = at !== undefined && lines[at.index]?.slice(at.column - 1).startsWith("'");
    values[name] = isLiteral ? (value ?? "") : interpolate(value ?? "", { ...values, ...environment });
  }
  return {
    path: file,
    values,
    positionOf(name) {
      const at = lineOf(lines, name);
      return at && { file, line: at.index + 1, column: at.column };
    },
    commentOf: (name) => commentAbove(lines, lineOf(lines, name)?.index),
  };
}

function lineOf(lines: readonly string[], name: string): { index: number; column: number } | undefined {
  const index = lines.findLastIndex((line) => assignment(line)?.name === name);
  const found = assignment(lines[index] ?? "");
  return found && { index, column: found.column };
}

function assignment(line: string): { name: string; column: number } | undefined {
  const match = /^(\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_.-]*)\s*[=:]\s*)/.exec(line);
  return match ? { name: match[2] as string, column: (match[1] as string).length + 1 } : undefined;
}

function commentAbove(lines: readonly string[], index: number | undefined): string | undefined {
  if (index === undefined) return undefined;
  const comment: string[] = [];
  for (let at = index - 1; at >= 0 && /^\s*#/.test(lines[at] ?? ""); at -= 1) {
    comment.unshift((lines[at] ?? "").replace(/^\s*#+\s?/, "").trimEnd());
  }
  const text = comment.join(" ").trim();
  return text === "" ? undefined : text;
}
