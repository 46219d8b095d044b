const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;

/**
 * Serial lines, and pseudo-terminals that nobody told their size, report 0 columns and 0 rows: text would be wrapped to one letter a
 * line, and listr2 would show nothing at all. They get the size that terminals have had since the VT100, here, before anybody asks.
 */
export function assumeSize(stream: NodeJS.WriteStream): void {
  if (!stream.isTTY) return;
  const fill = () => {
    stream.columns ||= DEFAULT_COLUMNS;
    stream.rows ||= DEFAULT_ROWS;
  };
  fill();
  // A terminal that learns its size later, or loses it, is read again by Node, which tells so.
  stream.on("resize", fill);
}
