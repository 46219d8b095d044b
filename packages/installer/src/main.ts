import { runMain } from "@drybag/terminal";
import { createProgram } from "./program.ts";

declare const DRYBAG_VERSION: string | undefined;
const version = typeof DRYBAG_VERSION === "undefined" ? "0.0.0-source" : DRYBAG_VERSION;

void runMain(createProgram(version), {
  argv: process.argv,
  name: "drybag-site",
  version,
  // By install.sh: its program is not in PATH yet, or is another one.
  calledAs: process.env.DRYBAG_CALLED_AS,
});
