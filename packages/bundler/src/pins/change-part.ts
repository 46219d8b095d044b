/** The one part of a text that has to change for the whole to become another one, and what it has to become. */
export interface PartChange<Part> {
  part: Part;
  text: string;
}

/**
 * Finds the part that can be changed alone: of `8.6` and `-alpine`, the first for `8.8-alpine`. undefined where more than one would
 * have to be, or where nothing changes.
 */
export function changeOnePart<Part extends { text: string }>(
  parts: readonly Part[],
  wanted: string,
): PartChange<Part> | undefined {
  const present = parts.map(({ text }) => text).join("");
  if (present === wanted) return undefined;
  let before = 0;
  for (const part of parts) {
    const behind = present.length - before - part.text.length;
    // A value must not become an empty one.
    const fits = wanted.length > before + behind;
    const isSame =
      wanted.startsWith(present.slice(0, before)) && wanted.endsWith(present.slice(present.length - behind));
    if (fits && isSame) return { part, text: wanted.slice(before, wanted.length - behind) };
    before += part.text.length;
  }
  return undefined;
}

/** The whole text once one part of it is another one. */
export function withPart<Part extends { text: string }>(
  parts: readonly Part[],
  changed: Part,
  text: string,
): string {
  return parts.map((part) => (part === changed ? text : part.text)).join("");
}
