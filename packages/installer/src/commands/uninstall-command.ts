import { resolve } from "node:path";
import { DrybagError } from "@drybag/errors";
import { ask, confirm, type RunContext } from "@drybag/terminal";
import { siteDocker } from "../docker-environment.ts";
import { exists } from "../release/place-release.ts";
import { type InstalledStack, theInstalledStack } from "../site/installed-stacks.ts";
import { sitePaths } from "../site/site-paths.ts";
import { type Uninstalled, uninstall, uninstallStages } from "../uninstall/uninstall.ts";
import { requireAnswer, type SiteFlags, stackName } from "./site-flags.ts";

export interface UninstallFlags extends SiteFlags {
  volumes?: boolean;
  backups?: boolean;
  confirm?: string;
  yes?: boolean;
}

/** Takes a stack away; its data only where that was asked for and its name typed. */
export async function uninstallCommand(
  context: RunContext,
  flags: UninstallFlags,
  name: string,
): Promise<void> {
  requireAnswer(context, flags.yes);
  const stack = await findStack(resolve(context.cwd, flags.dir), stackName(name));
  const withVolumes = flags.volumes === true;
  if (flags.backups && !withVolumes)
    throw new DrybagError("usage", "--backups goes with --volumes only", {
      hint: "without it, backups stay",
    });
  await agree(context, flags, stack, withVolumes);
  const progress = context.progress(uninstallStages(withVolumes));
  const docker = siteDocker(context.env, resolve(context.cwd, flags.dir));
  const result = await uninstall(
    stack,
    { withVolumes, withBackups: flags.backups === true },
    { docker, progress, signal: context.signal },
  );
  await progress.close();
  context.stdout.write(context.json ? `${JSON.stringify(result)}\n` : describe(result));
}

type StackPlace = Pick<InstalledStack, "name" | "paths">;

/** Also one whose first install failed, or whose data was kept: it has no current release, but a journal. */
async function findStack(dir: string, name: string): Promise<StackPlace> {
  const paths = sitePaths(dir, name);
  return (await exists(paths.journal)) ? { name, paths } : theInstalledStack(dir, name);
}

async function agree(
  { stdin, stderr, signal, canAsk }: RunContext,
  flags: UninstallFlags,
  { name }: StackPlace,
  withVolumes: boolean,
): Promise<void> {
  const questions = { stdin, stderr, signal };
  if (!withVolumes) {
    if (flags.yes || (await confirm(`Remove ${name}? Its data stays.`, questions))) return;
    throw new DrybagError("interrupted", "nothing was changed");
  }
  const typed =
    flags.confirm ??
    (canAsk ? await ask(`All data of ${name} will be lost. Type its name to go on: `, questions) : undefined);
  if (typed === name) return;
  if (flags.confirm !== undefined) {
    throw new DrybagError(
      "usage",
      `--confirm ${flags.confirm} is not the name of ${name}: nothing was changed`,
      {
        hint: `to delete all its data, give --confirm ${name}`,
      },
    );
  }
  if (typed === undefined) {
    throw new DrybagError("usage", "--volumes deletes all data, and needs the stack's name once more", {
      hint: `add --confirm ${name}`,
    });
  }
  throw new DrybagError("interrupted", "that is not its name: nothing was changed");
}

function describe({ name, volumes, volumesRemoved, backups, folder }: Uninstalled): string {
  if (volumesRemoved && backups.length > 0)
    return `${name} is gone, with its data. Kept: ${backups.length} ${backups.length === 1 ? "backup" : "backups"} in ${folder}/backups.\n`;
  if (volumesRemoved)
    return `${name} is gone, with all its data. Its images stay: 'docker image prune -a'.\n`;
  const kept = volumes.length > 0 ? `volumes ${volumes.join(", ")}; ` : "";
  return `${name} is gone. Kept: ${kept}the answers and the journal in ${folder}.\nInstalling it again finds them.\n`;
}
