import { DrybagError } from "@drybag/errors";
import type { RunContext } from "@drybag/terminal";
import { InvalidArgumentError } from "commander";

export const DEFAULT_DIR = "/opt/drybag";

export interface SiteFlags {
  dir: string;
}

/** A stack's name is its Compose project's: what Compose takes. Throws `usage`. */
export function stackName(name: string): string {
  if (/^[a-z0-9][a-z0-9_-]{0,62}$/.test(name)) return name;
  throw new DrybagError("usage", `'${name}' cannot be the name of a stack`, {
    hint: "use small letters, digits, dashes and underscores",
  });
}

/** The same for an operand that may be left out. */
export function optionalStackName(name: string | undefined): string | undefined {
  return name === undefined ? undefined : stackName(name);
}

/** Where somebody has to agree, and nobody is there who could: the answer must be among the options. Throws `usage`. */
export function requireAnswer({ canAsk }: RunContext, yes: boolean | undefined): void {
  if (yes || canAsk) return;
  throw new DrybagError("usage", "there is nobody to ask here: not a terminal, or --json was given", {
    hint: "add --yes to go ahead without asking",
  });
}

/** For commander. */
export function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!/^\d+$/.test(text) || seconds < 1 || seconds > 86_400) {
    throw new InvalidArgumentError("It is a number of seconds, from 1 to 86400.");
  }
  return seconds;
}

/** For commander: `SHA256:…`, as `ssh-keygen -l` shows it. */
export function parseFingerprint(text: string): string {
  if (/^SHA256:[A-Za-z0-9+/]{43}$/.test(text)) return text;
  throw new InvalidArgumentError(
    "It is a fingerprint as 'ssh-keygen -l' shows it: SHA256: and 43 characters.",
  );
}
