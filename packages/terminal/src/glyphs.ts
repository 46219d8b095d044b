export interface Glyphs {
  done: string;
  failed: string;
  waiting: string;
  warning: string;
  detail: string;
  hint: string;
  ellipsis: string;
  spinner: string[];
}

const UNICODE: Glyphs = {
  done: "✔",
  failed: "✖",
  waiting: "·",
  warning: "⚠",
  detail: "›",
  hint: "→",
  ellipsis: "…",
  spinner: ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"],
};

/** For serial lines, the Linux console and the C locale. */
const ASCII: Glyphs = {
  done: "+",
  failed: "x",
  waiting: ".",
  warning: "!",
  detail: "-",
  hint: "->",
  ellipsis: "...",
  spinner: ["-", "\\", "|", "/"],
};

export function glyphs(unicode: boolean): Glyphs {
  return unicode ? UNICODE : ASCII;
}

/** Whether the locale and the terminal can show more than ASCII. When nothing says so, they cannot. */
export function supportsUnicode(env: NodeJS.ProcessEnv): boolean {
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || "";
  // The Linux console speaks UTF-8, but its font has 256 or 512 glyphs and the ones used here are not among them.
  return /utf-?8/i.test(locale) && env.TERM !== "linux" && env.TERM !== "dumb";
}
