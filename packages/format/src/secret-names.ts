/** Words that, at the end of a name, say that its value is secret. */
const SECRET_NAME =
  /(?:^|[_.-])(?:pass(?:word|wd|phrase|code)?|pwd|secrets?|(?:auth|access|api|bot|refresh|bearer|deploy|private|root|admin)?[_-]?token|credentials?|(?:api|secret|private|access|encryption|master|signing|jwt|app|session|license|cookie|salt|hash)[_-]?key(?:[_-]?base)?|salt)\d*$/i;

/** `adminPassword`, `POSTGRESPASSWORD`. */
const RUN_TOGETHER = /(?:password|passwd|passphrase|apikey|secretkey)\d*$/i;

/** Names that end like one, but hold no secret. */
const HARMLESS_NAME =
  /public[_-]?key|allow[_-]?empty|random[_-]?root|no[_-]?pass|(?:^|[_-])(?:reset|forgot|change|expire|min|max|require|enable|disable|show|hide|use|generate)[_-](?:\w+[_-])?(?:password|token|secret)$/i;

export function isSecretName(name: string): boolean {
  return (SECRET_NAME.test(name) || RUN_TOGETHER.test(name)) && !HARMLESS_NAME.test(name);
}

/** Values that are none: switches, paths, names of files, what another program fills in. */
export function isNoSecret(value: string): boolean {
  return (
    /^(?:|true|false|yes|no|on|off|none|null|nil|disabled?|enabled?|auto|default|optional|required|undefined)$/i.test(
      value,
    ) ||
    /^(?:\.{0,2}|~)\/[\w./-]*$/.test(value) ||
    /^\{\{.*\}\}$/s.test(value) ||
    /^\$/.test(value)
  );
}

const GUESSED = new Set(
  "123 1234 12345 123456 1234567 12345678 123456789 1234567890 0000 000000 1111 111111 abc123 admin admin123 administrator app changeit dbpass demo dev dummy elastic example foobar foobared frappe guest hunter2 letmein mariadb master minio minioadmin minio123 mongo mypassword mysecret mysecretpassword mysql nopass passw0rd password password1 password123 pass pass123 postgres postgresql qwerty rabbitmq redis root root123 rootpass rootpassword s3cr3t sa secret secret123 supersecret supersecretpassword sysadmin temp test test123 testing tester toor user username welcome welcome1 wordpress xxx".split(
    " ",
  ),
);

/** What an example says for "put your own here". */
const PLACEHOLDER =
  /^<.*>$|^\[.*\]$|change[_ -]?(?:me|it|this|these|now|in)|^changed?$|^(?:put|enter|insert|set|add|type|replace)[_ -]|^your|your[_-]|_here$|^(?:some|my|the|insecure|very|super|top|really|strong|random|long)[a-z0-9_-]{0,24}(?:password|secret|key|pass)\d*$|replace[_ -]?(?:me|this)|example|(?:^|[_-])to-?do(?:[_-]|$)|^x{3,}$|^\*+$|^\.{3,}$/i;

/** What people choose is short; what is longer than this no list of passwords has. */
const LONGEST_GUESS = 64;

/**
 * Whether a password is one that everybody tries first. `names` are words next to it, such as the user's and the service's.
 */
export function isGuessable(value: string, names: readonly (string | undefined)[] = []): boolean {
  const text = value.trim().toLowerCase();
  if (text === "" || text.length > LONGEST_GUESS || isNoSecret(value)) return false;
  if (GUESSED.has(text) || PLACEHOLDER.test(text)) return true;
  if (/^(.)\1*$/.test(text) || text.length < 6) return true;
  return names.some((name) => name !== undefined && name.toLowerCase() === text);
}

/** What kind of token a text holds, if any: the shapes that issuers document. */
export function knownToken(text: string): string | undefined {
  return TOKENS.find(([pattern]) => pattern.test(text))?.[1];
}

const TOKENS: [RegExp, string][] = [
  [/\bgithub_pat_[A-Za-z0-9_]{22,}/, "a GitHub token"],
  [/\bgh[pousr]_[A-Za-z0-9]{30,}/, "a GitHub token"],
  [/\bglpat-[A-Za-z0-9_-]{20,}/, "a GitLab token"],
  [/\bgl(?:ptt|dt|rt|cbt|soat|agent|ft)-[A-Za-z0-9_-]{20,}/, "a GitLab token"],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/, "an AWS access key"],
  [/\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}/, "a JSON web token"],
  [/\bxox[abeoprs]-[A-Za-z0-9-]{10,}/, "a Slack token"],
  [/\bhooks\.slack\.com\/services\/T\w+\/B\w+\/\w+/, "a Slack webhook"],
  [/\bnpm_[A-Za-z0-9]{36}\b/, "an npm token"],
  [/\bpypi-[A-Za-z0-9_-]{40,}/, "a PyPI token"],
  [/\bdckr_pat_[A-Za-z0-9_-]{20,}/, "a Docker Hub token"],
  [/\bAIza[A-Za-z0-9_-]{35}/, "a Google API key"],
  [/\bsk_live_[A-Za-z0-9]{20,}/, "a Stripe key"],
  [/\bsk-(?:proj-|ant-)?[A-Za-z0-9_-]{32,}/, "an API key"],
  [/\bhf_[A-Za-z0-9]{30,}/, "a Hugging Face token"],
  [/\b\d{8,10}:AA[A-Za-z0-9_-]{33}\b/, "a Telegram bot token"],
  [/\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}/, "a SendGrid key"],
];

const ANY_TOKEN = new RegExp(TOKENS.map(([pattern]) => pattern.source).join("|"), "g");

/** The text with every known token in it replaced. */
export function hideTokens(text: string, replacement: string): string {
  return text.replace(ANY_TOKEN, replacement);
}

export const PRIVATE_KEY = /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----/;

export interface UrlCredentials {
  user: string;
  password: string;
  host: string;
  scheme: string;
}

/** `scheme://user:password@host` in a text. A password that is a variable is none. */
export function urlCredentials(text: string): UrlCredentials[] {
  if (!text.includes("://")) return [];
  return [
    ...text.matchAll(
      /(?<![a-z0-9+.-])([a-z][a-z0-9+.-]*):\/\/([^\s:/@?#"']*):([^\s/@?#"']+)@([^\s:/?#,"']*)/gi,
    ),
  ]
    .map(([, scheme = "", user = "", password = "", host = ""]) => ({ scheme, user, password, host }))
    .filter(({ password }) => !/[$<>{}]|^\*+$/.test(password));
}
