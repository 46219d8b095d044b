import { DrybagError } from "@drybag/errors";
import type { TextPlace } from "../pins/text-place.ts";

/** Another text for a place. */
export interface TextEdit {
  place: TextPlace;
  text: string;
}

/**
 * Puts other texts into the places of one file; everything else stays as it is, to the byte. Throws `place-unknown` where a place does
 * not hold what was read from it, as it is with escapes and folded lines.
 */
export function applyEdits(content: string, edits: readonly TextEdit[]): string {
  const ranges = edits.map((edit) => ({ ...edit, ...rangeOf(content, edit.place) }));
  ranges.sort((a, b) => a.start - b.start);
  let result = "";
  let at = 0;
  for (const { start, end, text, place } of ranges) {
    if (start < at) throw unknown(place, "two changes meet there");
    result += content.slice(at, start) + text;
    at = end;
  }
  return result + content.slice(at);
}

function rangeOf(content: string, place: TextPlace): { start: number; end: number } {
  const { position, value, at, text } = place;
  const offset = offsetOf(content, position.line, position.column);
  const quote = /["']/.test(content[offset] ?? "") ? 1 : 0;
  const start = offset + quote + at;
  if (!content.startsWith(value, offset + quote) || !content.startsWith(text, start))
    throw unknown(place, "it is not written plainly");
  return { start, end: start + text.length };
}

function offsetOf(content: string, line: number, column: number): number {
  let start = 0;
  for (let number = 1; number < line; number += 1) {
    const end = content.indexOf("\n", start);
    if (end === -1) return content.length;
    start = end + 1;
  }
  return start + column - 1;
}

function unknown({ position: { file, line, column }, text }: TextPlace, why: string): DrybagError {
  return new DrybagError(
    "place-unknown",
    `${file}:${line}:${column}: '${text}' cannot be changed here: ${why}.`,
    { hint: "Change it by hand. Nothing was written." },
  );
}
