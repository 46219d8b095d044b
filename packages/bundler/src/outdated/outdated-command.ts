import { EXIT, type ExitCode } from "@drybag/errors";
import type { RunContext } from "@drybag/terminal";
import { findConfig } from "../config/find-config.ts";
import { type ProjectCommandFlags, projectFlags } from "../project-options.ts";
import { findOutdated } from "./find-outdated.ts";
import { isOutdated } from "./outdated-item.ts";
import { outdatedJson, outdatedReport } from "./outdated-report.ts";

export interface OutdatedFlags extends ProjectCommandFlags {
  exitCode?: boolean;
}

/**
 * `drybag outdated`: newer tags of apps and images. Exit code 8 when something could not be asked for, with --exit-code 9 when
 * something is newer.
 */
export async function outdatedCommand(context: RunContext, flags: OutdatedFlags): Promise<ExitCode> {
  const config = await findConfig(flags, context.cwd);
  const { items } = await context.wait("asking registries and repositories", () =>
    findOutdated({ env: context.env }, projectFlags(flags, context.cwd, config), config, context.signal),
  );
  const width = context.stdout.isTTY ? context.stdout.columns : undefined;
  context.stdout.write(context.json ? outdatedJson(items) : outdatedReport(items, context.cwd, width));
  if (items.some(({ problem }) => problem !== undefined)) return EXIT.network;
  return flags.exitCode && items.some(isOutdated) ? EXIT.found : EXIT.ok;
}
