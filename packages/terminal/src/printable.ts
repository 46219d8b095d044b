import { stripVTControlCharacters } from "node:util";

/**
 * Text that somebody else wrote (a file's name, a bundle, a log), so that a terminal does nothing but show it: sequences that steer it are
 * gone, other control characters and what turns the direction of text around are written out. Newlines and tabs stay.
 */
export function printable(text: string): string {
  return stripVTControlCharacters(text.replace(/\r+$/gm, "")).replace(STEERS, writtenOut);
}

/** The same on one line. */
export function printableLine(text: string): string {
  return printable(text).replace(/[\n\t]/g, writtenOut);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const STEERS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

function writtenOut(character: string): string {
  return SHORT[character] ?? `\\u{${character.codePointAt(0)?.toString(16)}}`;
}

const SHORT: Record<string, string> = { "\n": "\\n", "\t": "\\t", "\r": "\\r" };
