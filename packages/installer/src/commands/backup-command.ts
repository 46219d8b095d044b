import { resolve } from "node:path";
import { listProjectContainers, readComposeModel } from "@drybag/docker";
import type { RunContext } from "@drybag/terminal";
import { formatBytes, table } from "@drybag/terminal";
import { backUpStack } from "../backup/back-up-stack.ts";
import {
  type BackupRecord,
  backupBytes,
  contentsOf,
  listBackups,
  placeName,
} from "../backup/backup-record.ts";
import { refuseUnfinishedRestore } from "../backup/unfinished-restore.ts";
import { isLocalEngine, siteDocker } from "../docker-environment.ts";
import { seeHealthy } from "../health/see-healthy.ts";
import { Stopwatch } from "../install/stopwatch.ts";
import { releaseFlags } from "../release/release-flags.ts";
import { installedStacks, theInstalledStack } from "../site/installed-stacks.ts";
import { recoverSite } from "../site/recover-site.ts";
import { lockSite } from "../site/site-lock.ts";
import { refuseUnfinishedUpgrade } from "../upgrade/unfinished-upgrade.ts";
import { DEFAULT_DIR, optionalStackName, type SiteFlags } from "./site-flags.ts";

/** How long the stack may take to become healthy again, in milliseconds. */
const HEALTH_TIMEOUT_MS = 600_000;

/** Backs up the data of a stack: stopped for the time, or after its dump task. */
export async function backupCommand(context: RunContext, flags: SiteFlags, name?: string): Promise<void> {
  const stack = await theInstalledStack(resolve(context.cwd, flags.dir), optionalStackName(name));
  const { paths, current, name: projectName } = stack;
  const { signal } = context;
  const docker = siteDocker(context.env, resolve(context.cwd, flags.dir));
  const engineIsLocal = isLocalEngine(context.env);
  const progress = context.progress();
  const stopwatch = new Stopwatch(progress);
  await using _lock = await lockSite(paths.lock);
  const common = { docker, engineIsLocal, projectName, paths, stopwatch, signal };
  await refuseUnfinishedRestore(paths, projectName);
  await refuseUnfinishedUpgrade(paths, projectName);
  await recoverSite(docker, projectName, paths, signal);
  const rules = current.manifest.backup;
  const before = await listProjectContainers(docker, projectName, { signal });
  const record = await backUpStack({
    ...common,
    release: current,
    rules,
    reason: "by-hand",
    afterwards: "restart",
  });
  if (before.some(({ state }) => state === "running")) {
    const { manifest, folder } = current;
    const model = await readComposeModel(docker, releaseFlags(manifest, folder, projectName), { signal });
    const { services: declared } = manifest;
    const health = { ...common, model, declared, timeoutMs: HEALTH_TIMEOUT_MS, progress };
    await stopwatch.stage("health", "Wait until the stack is healthy again", () => seeHealthy(health));
  }
  await progress.close();
  const folder = `${paths.backups}/${record.name}`;
  if (context.json) {
    context.stdout.write(`${JSON.stringify({ ...summary(record), folder })}\n`);
    return;
  }
  const what = contentsOf(record).join(", ") || "nothing: there is no data";
  const dirFlag = flags.dir === DEFAULT_DIR ? "" : ` --dir ${flags.dir}`;
  context.stdout.write(
    [
      `${projectName} is backed up as ${record.name}: ${what}; ${formatBytes(backupBytes(record))}.`,
      `Files:       ${folder}`,
      `Put it back: drybag-site restore ${record.name} --name ${projectName}${dirFlag}`,
      "",
    ].join("\n"),
  );
}

/** The backups that are here, the newest first. */
export async function backupsCommand(context: RunContext, flags: SiteFlags, name?: string): Promise<void> {
  const stacks = await Promise.all(
    (await installedStacks(resolve(context.cwd, flags.dir), optionalStackName(name))).map(
      async ({ name: stack, paths }) => ({
        name: stack,
        folder: paths.backups,
        backups: (await listBackups(paths.backups)).map(summary),
      }),
    ),
  );
  if (context.json) {
    context.stdout.write(`${JSON.stringify({ stacks })}\n`);
    return;
  }
  const width = context.stdout.columns;
  const texts = stacks.map(({ name: stack, folder, backups }) => {
    if (backups.length === 0) return `${stack} has no backups.\n`;
    const rows = backups.map((each) => [
      each.backup,
      each.release,
      formatBytes(each.sizeBytes),
      REASONS[each.reason],
    ]);
    return `${stack}, in ${folder}\n${table([["BACKUP", "OF RELEASE", "SIZE", "MADE"], ...rows], { width })}\n`;
  });
  context.stdout.write(texts.join("\n"));
}

const REASONS: Record<BackupRecord["reason"], string> = {
  "by-hand": "by hand",
  upgrade: "before an upgrade",
  restore: "before a restore",
  rollback: "before a rollback",
};

function summary(record: BackupRecord) {
  const { name, release, reason, consistency, dumpTask, startedAt, volumes, unnamed, data } = record;
  return {
    backup: name,
    release,
    reason,
    consistency,
    dumpTask,
    startedAt,
    volumes: volumes.map(({ key }) => key),
    unnamed: unnamed.map(placeName),
    data: data !== null,
    sizeBytes: backupBytes(record),
  };
}
