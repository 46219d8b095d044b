import { glyphs } from "./glyphs.ts";
import { printable } from "./printable.ts";

/** `warning: message [code]` and, below it, what to do. */
export function warningLines(
  { code, message, remedy }: { code: string; message: string; remedy?: string | undefined },
  unicode: boolean,
): string[] {
  const lines = [`warning: ${printable(message)} [${code}]`];
  if (remedy) lines.push(...hintLines(remedy, unicode));
  return lines;
}

/** `→ what to do`, further lines indented below the first. */
export function hintLines(hint: string, unicode: boolean): string[] {
  const { hint: arrow } = glyphs(unicode);
  return printable(hint)
    .split("\n")
    .map((line, index) => `${index === 0 ? arrow : " ".repeat(arrow.length)} ${line}`.trimEnd());
}
