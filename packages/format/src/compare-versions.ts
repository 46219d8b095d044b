/**
 * Orders versions of a stack as people read them: numbers by their value, everything else by its letters. `v16.2.0` stands before
 * `v16.10.0`, `20251118-4c860c6` before `20251203-0a1b2c3`. Negative, zero or positive, as for sort. Behind a date stands a commit, which
 * has no order: of two versions of one day, none is the older.
 */
export function compareVersions(a: string, b: string): number {
  const [pieces, others] = [piecesOf(a), piecesOf(b)];
  if (DATE.test(pieces[0] ?? "") && pieces[0] === others[0]) return 0;
  for (let at = 0; at < Math.max(pieces.length, others.length); at++) {
    const order = comparePieces(pieces[at] ?? "", others[at] ?? "");
    if (order !== 0) return order;
  }
  return 0;
}

const DATE = /^20\d{6}$/;
const NUMBER = /^\d+$/;

function piecesOf(version: string): string[] {
  return version.match(/\d+|[A-Za-z]+/g) ?? [];
}

function comparePieces(a: string, b: string): number {
  if (!NUMBER.test(a) || !NUMBER.test(b)) return a < b ? -1 : a > b ? 1 : 0;
  const [x, y] = [BigInt(a), BigInt(b)];
  return x < y ? -1 : x > y ? 1 : 0;
}
