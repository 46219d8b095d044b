import { resolve } from "node:path";
import { DrybagError } from "@drybag/errors";
import { ask, confirm, type RunContext, servicesTable } from "@drybag/terminal";
import { type BackupRecord, listBackups } from "../backup/backup-record.ts";
import { isLocalEngine, siteDocker } from "../docker-environment.ts";
import { serviceLine } from "../health/judge-services.ts";
import { chooseRelease, previousRelease, releaseNames } from "../releases/list-releases.ts";
import { ROLLBACK_STAGES, rollBack } from "../rollback/roll-back.ts";
import { type InstalledRelease, readRelease } from "../site/current-release.ts";
import { type InstalledStack, theInstalledStack } from "../site/installed-stacks.ts";
import { committedReleases, readJournal } from "../site/journal.ts";
import { readUnfinishedUpgrade } from "../upgrade/unfinished-upgrade.ts";
import { optionalStackName, requireAnswer, type SiteFlags } from "./site-flags.ts";

export interface RollbackFlags extends SiteFlags {
  to?: string;
  restoreData?: boolean;
  yes?: boolean;
  timeout: number;
}

/** Goes back to the release before, or to a named one. */
export async function rollbackCommand(
  context: RunContext,
  flags: RollbackFlags,
  name?: string,
): Promise<void> {
  requireAnswer(context, flags.yes);
  const stack = await theInstalledStack(resolve(context.cwd, flags.dir), optionalStackName(name));
  const target = await chooseTarget(stack, flags.to);
  const restore = await agree(context, flags, stack, target);
  const { signal } = context;
  const progress = context.progress(ROLLBACK_STAGES);
  const { services } = await rollBack(
    stack,
    target,
    { healthTimeoutMs: flags.timeout * 1000, ...(restore && { restore }) },
    {
      docker: siteDocker(context.env, resolve(context.cwd, flags.dir)),
      engineIsLocal: isLocalEngine(context.env),
      progress,
      signal,
      questions: undefined,
    },
  );
  await progress.close();
  const lines = services.map(serviceLine);
  if (context.json) {
    const result = {
      name: stack.name,
      release: target.name,
      previousRelease: stack.current.name,
      backup: restore?.name ?? null,
      services: lines,
    };
    context.stdout.write(`${JSON.stringify(result)}\n`);
    return;
  }
  context.stdout.write(
    [
      `${stack.name} runs release ${target.name} again, and is healthy. ${
        restore
          ? `It has the data of the backup ${restore.name}; that of ${stack.current.name} is in a backup too.`
          : `Data is as ${stack.current.name} left it.`
      }`,
      "",
      servicesTable(lines, { unicode: context.unicode, colorFor: context.stdout }),
      "",
    ].join("\n"),
  );
}

/** Which data the release is to have: what is there, or that of the backup that was made when it was left. */
async function agree(
  { stdin, stderr, signal }: RunContext,
  flags: RollbackFlags,
  { name, paths, current }: InstalledStack,
  target: InstalledRelease,
): Promise<BackupRecord | undefined> {
  const backup = (await listBackups(paths.backups)).find(({ release }) => release === target.name);
  if (flags.restoreData && backup === undefined) {
    throw new DrybagError("backup-not-found", `There is no backup of the data of release ${target.name}.`, {
      hint: "Without --restore-data the release runs with the data as it is.",
    });
  }
  if (flags.yes) return flags.restoreData ? backup : undefined;
  const questions = { stdin, stderr, signal };
  stderr.write(`${name} goes from release ${current.name} back to ${target.name}.\n`);
  if (backup === undefined || flags.restoreData) {
    stderr.write(
      backup === undefined
        ? "Data stays as it is: what the newer release changed in it is not undone.\n"
        : `Its data becomes that of the backup ${backup.name}; what is there now goes into another.\n`,
    );
    if (await confirm("Go back?", questions)) return backup;
    throw new DrybagError("interrupted", "nothing was changed");
  }
  stderr.write(
    `The backup ${backup.name} has the data as that release left it. What came into the data since then is not in it,\n` +
      "but in a backup that is made now. Without it, the release runs with the data as the newer one left it.\n",
  );
  const reply = await ask(
    "Go back with the data of the backup (b), with the data as it is (d), or not at all (n)? ",
    questions,
  );
  if (/^b$/i.test(reply.trim())) return backup;
  if (/^d$/i.test(reply.trim())) return undefined;
  throw new DrybagError("interrupted", "nothing was changed");
}

async function chooseTarget(
  { paths, current, name }: InstalledStack,
  named?: string,
): Promise<InstalledRelease> {
  const names = await releaseNames(paths);
  const history = committedReleases(await readJournal(paths.journal));
  const to = named === undefined ? undefined : chooseRelease(named, names);
  // What an upgrade that was cut off is to be undone to is the release that is current still.
  if ((to ?? current.name) === current.name && (await readUnfinishedUpgrade(paths))) return current;
  const target = to ?? previousRelease(history, current.name, names);
  if (target === current.name) {
    throw new DrybagError("usage", `${name} runs release ${target} already`, {
      hint: "see 'drybag-site releases' for the others",
    });
  }
  if (target !== undefined && names.includes(target)) return readRelease(paths, target);
  throw new DrybagError(
    "release-not-found",
    to === undefined
      ? `${name} has no release before ${current.name} here.`
      : `${name} has no release ${to} here.`,
    { hint: `Here are: ${names.join(", ")}. Any other comes with its bundle: install that.` },
  );
}
