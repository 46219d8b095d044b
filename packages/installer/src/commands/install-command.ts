import { join, resolve } from "node:path";
import { isSea } from "node:sea";
import { DrybagError, EXIT, type ExitCode } from "@drybag/errors";
import { INSTALL_SCRIPT_FILE } from "@drybag/format";
import type { RunContext } from "@drybag/terminal";
import { dockerEnvironment, isLocalEngine } from "../docker-environment.ts";
import { describeReport } from "../install/describe-report.ts";
import { INSTALL_STAGES, install } from "../install/install.ts";
import type { InstallOptions } from "../install/install-options.ts";
import { parseAssignment } from "../settings/resolve-settings.ts";
import { type SiteFlags, stackName } from "./site-flags.ts";

export interface InstallFlags extends SiteFlags {
  name?: string;
  set?: string[];
  yes?: boolean;
  timeout: number;
}

export async function installCommand(
  context: RunContext,
  flags: InstallFlags,
  carryFolder = ".",
): Promise<ExitCode> {
  const options = installOptions(flags, carryFolder, context.cwd);
  if (!options.yes && !context.canAsk) {
    throw new DrybagError("usage", "there is nobody to ask here: not a terminal, or --json was given", {
      hint: "add --yes to install without asking",
    });
  }
  const { stdin, stderr, signal } = context;
  const progress = context.progress(INSTALL_STAGES);
  const report = await install(options, {
    docker: { env: dockerEnvironment(context.env) },
    engineIsLocal: isLocalEngine(context.env),
    progress,
    signal,
    questions: context.canAsk && !options.yes ? { stdin, stderr, signal } : undefined,
  });
  await progress.close();
  const text = { unicode: context.unicode, dir: options.dir, program: programName(options.carryFolder) };
  context.stdout.write(context.json ? `${JSON.stringify(report)}\n` : describeReport(report, text));
  return EXIT.ok;
}

/** The executable on the stick is started by install.sh from a copy that is gone afterwards. */
function programName(carryFolder: string): string {
  return isSea() ? `sh ${join(carryFolder, INSTALL_SCRIPT_FILE)}` : "drybag-site";
}

function installOptions(flags: InstallFlags, carryFolder: string, cwd: string): InstallOptions {
  return {
    carryFolder: resolve(cwd, carryFolder),
    dir: resolve(cwd, flags.dir),
    name: flags.name === undefined ? undefined : stackName(flags.name),
    given: new Map((flags.set ?? []).map(parseAssignment)),
    yes: flags.yes === true,
    healthTimeoutMs: flags.timeout * 1000,
  };
}
