import { join, resolve } from "node:path";
import { DrybagError } from "@drybag/errors";
import { confirm, type RunContext, servicesTable } from "@drybag/terminal";
import { type BackupRecord, contentsOf, listBackups, readBackup } from "../backup/backup-record.ts";
import { RESTORE_STAGES, restoreBackup } from "../backup/restore-backup.ts";
import { checkLine } from "../checks/watch-checks.ts";
import { isLocalEngine, siteDocker } from "../docker-environment.ts";
import { serviceLine } from "../health/judge-services.ts";
import { type InstalledStack, theInstalledStack } from "../site/installed-stacks.ts";
import { optionalStackName, requireAnswer, type SiteFlags } from "./site-flags.ts";

export interface RestoreFlags extends SiteFlags {
  name?: string;
  from?: string;
  otherRelease?: boolean;
  yes?: boolean;
  timeout: number;
}

/** Puts the data of a backup back: of one that is here, the last one unless it is named, or of a folder. */
export async function restoreCommand(
  context: RunContext,
  flags: RestoreFlags,
  wanted?: string,
): Promise<void> {
  requireAnswer(context, flags.yes);
  const stack = await theInstalledStack(resolve(context.cwd, flags.dir), optionalStackName(flags.name));
  const folder = await chooseBackup(stack, wanted, flags.from && resolve(context.cwd, flags.from));
  const record = await readBackup(folder);
  const { stdin, stderr, signal } = context;
  if (!flags.yes) {
    stderr.write(describe(stack, record, folder));
    if (!(await confirm("Restore it?", { stdin, stderr, signal })))
      throw new DrybagError("interrupted", "nothing was changed");
  }
  const progress = context.progress(RESTORE_STAGES);
  const options = { otherRelease: flags.otherRelease === true, healthTimeoutMs: flags.timeout * 1000 };
  const { aside, services, checks } = await restoreBackup(stack, folder, options, {
    docker: siteDocker(context.env, resolve(context.cwd, flags.dir)),
    engineIsLocal: isLocalEngine(context.env),
    progress,
    signal,
    questions: undefined,
  });
  await progress.close();
  const lines = [...services.map(serviceLine), ...checks.map(checkLine)];
  if (context.json) {
    const { name: backup, consistency, dumpTask } = record;
    const result = { name: stack.name, backup, consistency, dumpTask, aside, services: lines };
    context.stdout.write(`${JSON.stringify(result)}\n`);
    return;
  }
  context.stdout.write(
    [
      `${stack.name} has the data of ${record.name} again, and is healthy.`,
      "",
      servicesTable(lines, { unicode: context.unicode, colorFor: context.stdout }),
      "",
      ...(record.consistency === "dump"
        ? [
            `It was made while the stack ran: load the dump of the task ${record.dumpTask} to have all of it back.`,
          ]
        : []),
      ...(aside === null ? [] : [`What was there before is in the backup ${aside}.`]),
      "",
    ].join("\n"),
  );
}

function describe({ name, current }: InstalledStack, record: BackupRecord, folder: string): string {
  return [
    `${name} (release ${current.name}) gets the data of the backup ${record.name} back:`,
    `  made      ${record.startedAt}, of release ${record.release}`,
    `  holds     ${contentsOf(record).join(", ")}`,
    `  lies in   ${folder}`,
    "The stack is stopped for the time. What is there now is backed up first.",
    "",
  ].join("\n");
}

async function chooseBackup(
  { name, paths }: InstalledStack,
  backup: string | undefined,
  from: string | undefined,
): Promise<string> {
  if (from !== undefined) {
    if (backup === undefined) return from;
    throw new DrybagError("usage", "a backup is named, or a folder with --from, not both");
  }
  const names = (await listBackups(paths.backups)).map((record) => record.name);
  const chosen = backup ?? names[0];
  if (chosen !== undefined && names.includes(chosen)) return join(paths.backups, chosen);
  throw new DrybagError(
    "backup-not-found",
    backup === undefined ? `${name} has no backups here.` : `${name} has no backup ${backup} here.`,
    {
      hint:
        names.length === 0
          ? "One that lies elsewhere is named with --from FOLDER."
          : `Here are: ${names.join(", ")}. One that lies elsewhere is named with --from FOLDER.`,
    },
  );
}
