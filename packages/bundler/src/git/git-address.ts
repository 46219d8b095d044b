import { DrybagError } from "@drybag/errors";

/** An address of a git repository, its credentials apart from it. */
export interface GitAddress {
  /** Without user and password: fit to be shown, logged and recorded. */
  url: string;
  /** Value of an HTTP Authorization header, where the address has credentials. */
  authorization: string | undefined;
  /** What must be shown nowhere: the tokens, and forms in which they travel. */
  secrets: string[];
  /** With its credentials: only for what takes addresses and nothing else. */
  full: string;
}

const VARIABLE = /\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g;

/** Names of the tokens in an address: `TOKEN` of `https://${TOKEN}@github.com/…`. */
export function tokenNames(written: string): string[] {
  return [...new Set([...written.matchAll(VARIABLE)].map((match) => match[1] as string))];
}

/** Puts tokens into an address. Throws `token-missing` with the names of those that have no value. */
export function gitAddress(
  written: string,
  tokens: Readonly<Record<string, string | undefined>>,
): GitAddress {
  const missing = tokenNames(written).filter((name) => !tokens[name]);
  if (missing.length > 0) {
    throw new DrybagError("token-missing", `${missing.join(", ")} must have a value for ${written}.`, {
      hint: "Set it in the environment of this command, or in the file that 'frappe.tokenFile' names.",
    });
  }
  const used = tokenNames(written).map((name) => tokens[name] as string);
  const match = /^(https?:\/\/)([^/@]*)@(.*)$/s.exec(written);
  if (match === null) {
    const full = written.replace(VARIABLE, (_, name: string) => tokens[name] as string);
    return { url: written, authorization: undefined, secrets: used, full };
  }
  const [, scheme = "", userinfo = "", rest = ""] = match;
  const fill = (text: string, encode: (value: string) => string) =>
    text.replace(VARIABLE, (_, name: string) => encode(tokens[name] as string));
  const plain = (text: string) => fill(decode(text), (value) => value);
  const [user = "", ...password] = userinfo.split(":");
  const pair = `${plain(user)}:${plain(password.join(":"))}`;
  const basic = Buffer.from(pair).toString("base64");
  return {
    url: `${scheme}${rest}`,
    authorization: `Basic ${basic}`,
    secrets: [...used, ...used.map(encodeURIComponent), basic],
    full: `${scheme}${fill(userinfo, encodeURIComponent)}@${fill(rest, encodeURIComponent)}`,
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The address without what stands before `@`, for messages: nothing of it is read. */
export function withoutCredentials(written: string): string {
  return written.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/]*@/i, "$1");
}
