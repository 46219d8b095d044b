import { DrybagError } from "@drybag/errors";
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
