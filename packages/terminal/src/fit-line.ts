import { stripVTControlCharacters } from "node:util";

/** Terminal columns that a line takes, colours not counted. Wide (East Asian) characters are counted as one. */
export function visibleWidth(line: string): number {
  return [...stripVTControlCharacters(line)].length;
}

/** Cuts a line to a width, with the ellipsis inside that width. A line that is cut loses its colours. */
export function fitLine(line: string, width: number, ellipsis = "..."): string {
  if (visibleWidth(line) <= width) return line;
  const characters = [...stripVTControlCharacters(line)];
  return (
    characters
      .slice(0, Math.max(0, width - ellipsis.length))
      .join("")
      .trimEnd() + ellipsis
  );
}
