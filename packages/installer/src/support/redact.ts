import { hideTokens, isSecretName, PRIVATE_KEY } from "@drybag/format";

const HIDDEN = "(hidden)";
/** Shorter ones would blot out half of every text; where they stand behind their own name they are hidden all the same. */
const SHORTEST_SECRET = 4;
/** A private key that never ends must not swallow the rest of a log. */
const LONGEST_KEY_LINES = 200;

/** `NAME: value`, `NAME=value` and `"NAME": value` that take a whole line, as in env files, YAML and JSON written over lines. */
const WHOLE_LINE = /^(\s*(?:export\s+|-\s+)?(["']?)([A-Za-z_][\w.-]{0,80})\2\s*[=:]\s*)(\S.*?)(,?)$/;
/** The same in the middle of a line. */
const PAIR =
  /(?<![\w.-])((\\?["']?)([A-Za-z_][\w.-]{0,80})\2\s{0,4}[=:]\s{0,4})(\\?"(?:[^"\\]|\\.)*"|'[^']*'|[^\s,;&"'}\])]+)/g;
/** `--password value`, and the same as two strings of a list. */
const OPTION = /(--([A-Za-z][\w-]{0,80})(?:\s+|",\s*"))([^\s"]+)/g;
const URL_PASSWORD = /(?<![a-z0-9+.-])([a-z][a-z0-9+.-]{0,20}:\/\/[^\s:/@?#"']*:)([^\s/@"']+)(@)/gi;
const KEY_IN_LINE =
  /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY[\s\S]*?-----END (?:[A-Z0-9]+ )*PRIVATE KEY[^-]*-----/g;

/** A value that gives nothing away, or that only names where the secret comes from. */
function isHarmless(value: string): boolean {
  const text = value.replace(/^\\?["']|\\?["']$/g, "");
  return (
    /^(?:|true|false|yes|no|on|off|null|none|~|\(hidden\)?)$/i.test(text) ||
    /^\$\{?[A-Za-z_]\w*\}?$/.test(text)
  );
}

/**
 * Takes secrets out of text, line by line: values that are known to be secret, wherever and however they are written; what stands behind a
 * name that says so; passwords in addresses; private keys; tokens whose shape is known.
 */
export class Redactor {
  readonly #names: ReadonlySet<string>;
  readonly #values: RegExp | undefined;
  #keyLines = 0;

  constructor(secrets: { values: Iterable<string>; names: Iterable<string> }) {
    this.#names = new Set(secrets.names);
    const written = new Set(
      [...secrets.values].filter((value) => value.length >= SHORTEST_SECRET).flatMap(waysToWrite),
    );
    const longestFirst = [...written].sort((a, b) => b.length - a.length);
    this.#values =
      longestFirst.length === 0 ? undefined : new RegExp(longestFirst.map(escapeRegExp).join("|"), "g");
  }

  /** One line, without its end. */
  line(text: string): string {
    if (this.#keyLines > 0) {
      this.#keyLines = /-----END /.test(text) ? 0 : this.#keyLines - 1;
      return HIDDEN;
    }
    let shown = this.#values ? text.replace(this.#values, HIDDEN) : text;
    shown = shown.replace(KEY_IN_LINE, HIDDEN);
    if (PRIVATE_KEY.test(shown)) {
      this.#keyLines = LONGEST_KEY_LINES;
      return HIDDEN;
    }
    shown = shown.replace(URL_PASSWORD, `$1${HIDDEN}$3`);
    shown = hideTokens(shown, HIDDEN);
    const hide = (whole: string, name: string, value: string, replacement: string) =>
      this.#isSecret(name) && !isHarmless(value) ? replacement : whole;
    shown = shown.replace(WHOLE_LINE, (whole, head, _quote, name, value, end) =>
      hide(whole, name, value, `${head}${HIDDEN}${end}`),
    );
    shown = shown.replace(PAIR, (whole, head, _quote, name, value) =>
      hide(whole, name, value, `${head}${HIDDEN}`),
    );
    return shown.replace(OPTION, (whole, head, name, value) => hide(whole, name, value, `${head}${HIDDEN}`));
  }

  #isSecret(name: string): boolean {
    return this.#names.has(name) || isSecretName(name);
  }
}

/** As it is, and as JSON, an env file, Compose, an address or base64 write it. */
function waysToWrite(value: string): string[] {
  return [
    value,
    JSON.stringify(value).slice(1, -1),
    value.replace(/[\\"$]/g, "\\$&"),
    value.replaceAll("$", "$$$$"),
    encodeURIComponent(value),
    Buffer.from(value).toString("base64"),
    Buffer.from(value).toString("base64url"),
  ];
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}
