import { fitLine, visibleWidth } from "./fit-line.ts";

export interface TableOptions {
  /** Columns that the whole table may take; longer lines are cut. Without it nothing is cut. */
  width?: number | undefined;
  /** Written in place of what is cut off. */
  ellipsis?: string;
  /** Indexes of columns that hold numbers: aligned to the right. */
  alignRight?: readonly number[];
}

/**
 * Plain aligned text, two spaces between columns, one line per row, no newline at the end. The last column is never padded.
 */
export function table(rows: readonly (readonly string[])[], options: TableOptions = {}): string {
  const { width, ellipsis = "...", alignRight = [] } = options;
  const widths = columnWidths(rows);
  const lines = rows.map((row) =>
    row
      .map((cell, column) => pad(cell, widths[column] ?? 0, alignRight.includes(column)))
      .join("  ")
      .trimEnd(),
  );
  return lines.map((line) => (width === undefined ? line : fitLine(line, width, ellipsis))).join("\n");
}

function columnWidths(rows: readonly (readonly string[])[]): number[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, visibleWidth(cell));
    }
  }
  return widths;
}

function pad(cell: string, width: number, right: boolean): string {
  const filler = " ".repeat(Math.max(0, width - visibleWidth(cell)));
  return right ? filler + cell : cell + filler;
}
