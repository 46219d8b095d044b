const CONTEXT_LINES = 2;

/** A unified diff of two texts that have as many lines; empty where they are the same. */
export function lineDiff(name: string, before: string, after: string): string {
  const [old, now] = [before.split("\n"), after.split("\n")];
  const changed = old.flatMap((line, index) => (line === now[index] ? [] : [index]));
  const hunks: { from: number; to: number }[] = [];
  for (const index of changed) {
    const from = Math.max(0, index - CONTEXT_LINES);
    const to = Math.min(old.length - 1, index + CONTEXT_LINES);
    const last = hunks.at(-1);
    if (last !== undefined && from <= last.to + 1) last.to = to;
    else hunks.push({ from, to });
  }
  if (hunks.length === 0) return "";
  const lines = hunks.flatMap(({ from, to }) => {
    // What stands behind the last line break is no line.
    const end = to === old.length - 1 && old[to] === "" && now[to] === "" ? to - 1 : to;
    const size = end - from + 1;
    return [`@@ -${from + 1},${size} +${from + 1},${size} @@`, ...hunkLines(old, now, from, end)];
  });
  return `${[`--- a/${name}`, `+++ b/${name}`, ...lines].join("\n")}\n`;
}

/** Lines that change together: the old ones first. */
function hunkLines(old: readonly string[], now: readonly string[], from: number, to: number): string[] {
  const lines: string[] = [];
  let added: string[] = [];
  for (let index = from; index <= to; index += 1) {
    if (old[index] === now[index]) {
      lines.push(...added, ` ${old[index]}`);
      added = [];
    } else {
      lines.push(`-${old[index]}`);
      added.push(`+${now[index]}`);
    }
  }
  return [...lines, ...added];
}
