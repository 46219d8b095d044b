/** Ends of lines, other control characters, and what turns the direction of text around. */
const HIDES_OR_BREAKS = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u;

/** Whether a text stands on one line as it is: nothing in it moves what is around it, or reads in another order than it is written. */
export function isVisibleLine(text: string): boolean {
  return !HIDES_OR_BREAKS.test(text);
}

/** The text on one line, for a manifest's fields that people are shown. */
export function toVisibleLine(text: string): string {
  return text.toWellFormed().replace(HIDES_OR_BREAKS_OFTEN, " ").trim();
}

const HIDES_OR_BREAKS_OFTEN = new RegExp(`${HIDES_OR_BREAKS.source}+`, "gu");
