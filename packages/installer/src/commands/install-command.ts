import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { isSea } from "node:sea";
import { DrybagError, EXIT, type ExitCode } from "@drybag/errors";
import { INSTALL_SCRIPT_FILE } from "@drybag/format";
import type { Progress, RunContext } from "@drybag/terminal";
import { isLocalEngine, siteDocker } from "../docker-environment.ts";
import { describePlan, planAsJson } from "../install/describe-plan.ts";
import { describeReport } from "../install/describe-report.ts";
import { INSTALL_STAGES, install } from "../install/install.ts";
import type { InstallOptions } from "../install/install-options.ts";
import { readOperator } from "../install/operator.ts";
import type { InstalledSelf } from "../self/install-self.ts";
import { parseEnvLines } from "../settings/env-lines.ts";
import { parseAssignment } from "../settings/resolve-settings.ts";
import { type SiteFlags, stackName } from "./site-flags.ts";

/** What the command line knows of the program itself. */
export interface ThisProgram {
  version: string;
  /** Keeps it on this server, if it can. */
  keep(stack: string, options: InstallOptions, progress: Progress): Promise<InstalledSelf | undefined>;
}

export interface InstallFlags extends SiteFlags {
  name?: string;
  set?: string[];
  values?: string;
  answersOut?: string;
  generateSecrets?: boolean;
  dryRun?: boolean;
  trustNewKey?: string;
  /** False with --no-self-install. */
  selfInstall: boolean;
  yes?: boolean;
  /** False with --no-backup. */
  backup: boolean;
  skipTask?: string[];
  timeout: number;
  installCompose?: boolean;
}

export async function installCommand(
  context: RunContext,
  flags: InstallFlags,
  carryFolder = ".",
  program: ThisProgram = { version: "unknown", keep: async () => undefined },
): Promise<ExitCode> {
  const options = await installOptions(flags, carryFolder, context, program.version);
  if (!options.yes && !options.dryRun && !context.canAsk) {
    throw new DrybagError("usage", "there is nobody to ask here: not a terminal, or --json was given", {
      hint: "add --yes to install without asking",
    });
  }
  const { stdin, stderr, signal } = context;
  const progress = context.progress(INSTALL_STAGES);
  const outcome = await install(options, {
    docker: siteDocker(context.env, options.dir),
    engineIsLocal: isLocalEngine(context.env),
    progress,
    signal,
    questions: context.canAsk && !options.yes ? { stdin, stderr, signal } : undefined,
  });
  const kept =
    "report" in outcome && flags.selfInstall
      ? await program.keep(outcome.report.name, options, progress)
      : undefined;
  await progress.close();
  if ("plan" in outcome) {
    const { plan } = outcome;
    const said = `${describePlan(plan).trimEnd()}\n\nNothing was changed.\n`;
    context.stdout.write(context.json ? `${JSON.stringify({ plan: planAsJson(plan) })}\n` : said.trimStart());
    return EXIT.ok;
  }
  const { report } = outcome;
  const command = kept?.command ?? programName(options.carryFolder);
  const text = { unicode: context.unicode, dir: options.dir, program: command };
  context.stdout.write(context.json ? `${JSON.stringify(report)}\n` : describeReport(report, text));
  return EXIT.ok;
}

export interface PreflightFlags extends SiteFlags {
  name?: string;
  set?: string[];
  values?: string;
  generateSecrets?: boolean;
}

/** An install that stops before its first change, and asks nothing. */
export async function preflightCommand(
  context: RunContext,
  flags: PreflightFlags,
  carryFolder?: string,
): Promise<ExitCode> {
  const asInstall: InstallFlags = {
    ...flags,
    dryRun: true,
    yes: true,
    selfInstall: false,
    backup: true,
    timeout: 1,
  };
  return installCommand(context, asInstall, carryFolder);
}

/** The executable on the stick is started by install.sh from a copy that is gone afterwards. */
function programName(carryFolder: string): string {
  return isSea() ? `sh ${join(carryFolder, INSTALL_SCRIPT_FILE)}` : "drybag-site";
}

async function installOptions(
  flags: InstallFlags,
  carryFolder: string,
  { cwd, env, stdin }: RunContext,
  version: string,
): Promise<InstallOptions> {
  const fromFile = flags.values === undefined ? [] : await readValues(resolve(cwd, flags.values));
  return {
    carryFolder: resolve(cwd, carryFolder),
    dir: resolve(cwd, flags.dir),
    name: flags.name === undefined ? undefined : stackName(flags.name),
    // --set wins over the file.
    given: new Map([...fromFile, ...(flags.set ?? []).map(parseAssignment)]),
    generateSecrets: flags.generateSecrets === true,
    yes: flags.yes === true,
    dryRun: flags.dryRun === true,
    answersOut: flags.answersOut === undefined ? undefined : resolve(cwd, flags.answersOut),
    trustNewKey: flags.trustNewKey,
    backup: flags.backup,
    skipTasks: flags.skipTask ?? [],
    healthTimeoutMs: flags.timeout * 1000,
    installCompose: flags.installCompose === true,
    operator: await readOperator(env, stdin, version),
  };
}

/** A file of answers, as `--answers-out` writes it. Throws `file-missing`, `file-unreadable`, `setting-invalid`. */
async function readValues(path: string): Promise<Map<string, string>> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    const isMissing = error.code === "ENOENT";
    throw new DrybagError(
      isMissing ? "file-missing" : "file-unreadable",
      isMissing ? `There is no ${path}.` : `${path} cannot be read (${error.code}).`,
      { hint: 'Name a file with lines of the form NAME="value" with --values.' },
    );
  });
  return parseEnvLines(text, path);
}
