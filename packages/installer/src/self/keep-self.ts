import { isSea } from "node:sea";
import type { Finding } from "@drybag/errors";
import type { Progress } from "@drybag/terminal";
import { DEFAULT_DIR } from "../commands/site-flags.ts";
import type { CommandTree } from "../completion/command-tree.ts";
import { showFindings } from "../preflight/report-findings.ts";
import { installCompletion } from "./install-completion.ts";
import { type InstalledSelf, installSelf } from "./install-self.ts";

const LINK_FOLDER = "/usr/local/bin";

/**
 * The installer as a program of this server, for `status`, `rollback` and the like, with its completion. A stack that runs is not called
 * failed because this did not work. The link and the completion are made for the usual folder only: without --dir, the program looks there.
 */
export async function keepSelf(
  { version, tree }: { version: string; tree: CommandTree },
  stack: string,
  dir: string,
  progress: Progress,
): Promise<InstalledSelf | undefined> {
  // Its place would be the folder of a stack of that name.
  if (!isSea() || stack === "bin") return undefined;
  const isUsual = dir === DEFAULT_DIR && process.getuid?.() === 0;
  try {
    const self = await installSelf(process.execPath, version, dir, isUsual ? LINK_FOLDER : undefined);
    if (self.newerStays !== undefined)
      showFindings([newerStays(self.newerStays, version, self.path)], progress);
    else if (isUsual) await installCompletion(tree, dir);
    return self;
  } catch (error) {
    const message = `drybag-site could not be installed in ${dir}/bin (${(error as Error).message}).`;
    const remedy = "The stack itself is installed. Start the program from the carry folder with install.sh.";
    showFindings([{ code: "self-not-installed", severity: "warning", message, remedy }], progress);
    return undefined;
  }
}

function newerStays(installed: string, version: string, path: string): Finding {
  return {
    code: "self-newer",
    severity: "info",
    message: `${path} is version ${installed} and was left there; this bundle brings ${version}.`,
  };
}
