/** A shorter secret would stand in half of what anybody writes. */
const SHORTEST = 3;

/** Replaces every secret in a text. The longer ones first: one may be part of another. */
export function createRedactor(secrets: Iterable<string>): (text: string) => string {
  const known = [...new Set(secrets)]
    .filter(({ length }) => length >= SHORTEST)
    .sort((a, b) => b.length - a.length);
  return (text) => known.reduce((result, secret) => result.replaceAll(secret, "(hidden)"), text);
}
