/** How a registry wants to be asked: the `WWW-Authenticate` of its 401. */
export interface Challenge {
  scheme: "basic" | "bearer";
  /** Of `bearer`: where tokens are given. */
  realm?: string;
  service?: string;
  scope?: string;
}

/**
 * Reads a `WWW-Authenticate` header (RFC 9110, 11.6.1); undefined for schemes that no registry uses.
 * What `bearer` means: https://distribution.github.io/distribution/spec/auth/token/
 */
export function parseChallenge(header: string | undefined): Challenge | undefined {
  const [, word = "", rest = ""] = /^\s*(\w+)\s*(.*)$/s.exec(header ?? "") ?? [];
  const scheme = word.toLowerCase();
  if (scheme !== "basic" && scheme !== "bearer") return undefined;
  const parameters = new Map<string, string>();
  for (const [, name = "", quoted, plain] of rest.matchAll(
    /(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))/g,
  )) {
    parameters.set(name.toLowerCase(), quoted?.replace(/\\(.)/g, "$1") ?? plain ?? "");
  }
  const [realm, service, scope] = ["realm", "service", "scope"].map((name) => parameters.get(name));
  return { scheme, ...(realm && { realm }), ...(service && { service }), ...(scope && { scope }) };
}
