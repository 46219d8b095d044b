import { type Context, createContext, Script } from "node:vm";

/** What a person types and a page that answers take far less; some expressions need longer than anybody lives. */
const LIMIT_MS = 1000;

/**
 * Whether a regular expression that somebody else wrote matches one of the texts. `unknown` where that cannot be told in a second, as
 * expressions such as `(a+)+$` try more ways than there is time for, and nothing else would stop them; or where it is too large to be run.
 */
export function matchInTime(
  pattern: string,
  flags: string,
  texts: readonly string[],
): "match" | "no match" | "unknown" {
  try {
    context ??= createContext({});
    Object.assign(context, { regex: new RegExp(pattern, flags), texts });
    return SCRIPT.runInContext(context, { timeout: LIMIT_MS }) ? "match" : "no match";
  } catch {
    return "unknown";
  }
}

/** Made once: it takes some milliseconds. */
let context: Context | undefined;
const SCRIPT = new Script("texts.some((text) => regex.test(text))");
