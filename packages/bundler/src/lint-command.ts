import { EXIT, type ExitCode } from "@drybag/errors";
import type { RunContext } from "@drybag/terminal";
import { withBuildVariables } from "./build/build-variables.ts";
import { findConfig } from "./config/find-config.ts";
import { sorted } from "./lint/lint.ts";
import { lintProject } from "./lint/load-for-lint.ts";
import { countFindings, findingLines } from "./lint/print-findings.ts";
import { parsePlatform } from "./options.ts";
import { type ProjectCommandFlags, projectFlags } from "./project-options.ts";
import { lintPins } from "./recipes/frappe/lint-pins.ts";

export interface LintFlags extends ProjectCommandFlags {
  platform?: string;
  strict?: boolean;
}

/** `drybag lint`: every finding at once; exit code 3 when one is an error, or with --strict a warning. Needs no engine. */
export async function lintCommand(context: RunContext, flags: LintFlags): Promise<ExitCode> {
  const platform = flags.platform === undefined ? undefined : parsePlatform(flags.platform);
  const config = await findConfig(flags, context.cwd);
  const findings = sorted([
    ...(await lintProject(
      await withBuildVariables({ env: context.env }, config, context.signal),
      projectFlags(flags, context.cwd, config),
      platform,
      context.signal,
    )),
    ...(await lintPins(config?.project)),
  ]);
  const counts = countFindings(findings);
  if (context.json) {
    context.stdout.write(`${JSON.stringify({ findings, counts })}\n`);
  } else {
    const width = context.stdout.isTTY ? context.stdout.columns : undefined;
    context.stdout.write(`${findingLines(findings, context.cwd, width).join("\n")}\n`);
  }
  const failed = counts.error > 0 || (flags.strict === true && counts.warning > 0);
  return failed ? EXIT.project : EXIT.ok;
}
