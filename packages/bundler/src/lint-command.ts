import { EXIT, type ExitCode } from "@drybag/errors";
import type { RunContext } from "@drybag/terminal";
import { lintProject } from "./lint/load-for-lint.ts";
import { countFindings, findingLines } from "./lint/print-findings.ts";
import { parsePlatform } from "./options.ts";
import { type ProjectCommandFlags, readProjectFlags } from "./project-options.ts";

export interface LintFlags extends ProjectCommandFlags {
  platform?: string;
  strict?: boolean;
}

/** `drybag lint`: every finding at once; exit code 3 when one is an error, or with --strict a warning. Needs no engine. */
export async function lintCommand(context: RunContext, flags: LintFlags): Promise<ExitCode> {
  const platform = flags.platform === undefined ? undefined : parsePlatform(flags.platform);
  const findings = await lintProject(
    { env: context.env },
    await readProjectFlags(flags, context.cwd),
    platform,
    context.signal,
  );
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
