import { readdir, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import {
  composeDown,
  type DockerContext,
  inspectVolume,
  listProjectVolumes,
  listUnnamedVolumes,
  readEngineFacts,
  removeContainer,
  removeVolume,
  type UnnamedVolume,
} from "@drybag/docker";
import type { Progress } from "@drybag/terminal";
import { listBackups } from "../backup/backup-record.ts";
import { forgetRestore } from "../backup/unfinished-restore.ts";
import { helper } from "../backup/volume-helper.ts";
import type { InstalledStack } from "../site/installed-stacks.ts";
import { appendToJournal, detachedVolumes, readJournal, type VolumesOnTheirOwn } from "../site/journal.ts";
import { lockSite } from "../site/site-lock.ts";
import { removeMarks } from "../tasks/task-marks.ts";
import { forgetUpgrade } from "../upgrade/unfinished-upgrade.ts";

/** In the order in which they are gone through. */
export function uninstallStages(withVolumes: boolean): string[] {
  return withVolumes ? ["down", "volumes", "files"] : ["down", "files"];
}

export interface Uninstalled {
  name: string;
  /** Volumes with data: removed, or still here. */
  volumes: string[];
  volumesRemoved: boolean;
  /** Those that are still here. */
  backups: string[];
  /** What is left of the stack's folder; null where all of it is gone. */
  folder: string | null;
}

/**
 * Takes a stack away: its containers, networks and releases. Its data (volumes, `data/`), and what is needed to make sense of it
 * later (the answers, the signer, the journal) stay, unless volumes are to go as well; backups stay in any case unless they are named. Images stay: `prune` is for them.
 * The same command again finishes one that was cut off. Throws `already-running`, `docker-failed`.
 */
export async function uninstall(
  { name, paths }: Pick<InstalledStack, "name" | "paths">,
  { withVolumes, withBackups = false }: { withVolumes: boolean; withBackups?: boolean },
  { docker, progress, signal }: { docker: DockerContext; progress: Progress; signal: AbortSignal },
): Promise<Uninstalled> {
  // Said in its own words where the engine does not answer; nothing has been touched then.
  await readEngineFacts(docker, { signal });
  await using _lock = await lockSite(paths.lock);
  const volumes = await listProjectVolumes(docker, name, { signal });
  const detached = await unnamedVolumes(docker, name, paths, signal);
  const unnamed = [...detached.volumes, ...detached.toRemove];
  await progress.stage("down", "Remove the containers", async () => {
    // The next install gives them to its containers.
    await appendToJournal(paths.journal, { step: "volumes-detached", ...detached });
    await composeDown(docker, name, { withVolumes, signal });
    await removeContainer(docker, helper(name).name, { signal });
  });
  if (withVolumes) {
    await progress.stage("volumes", "Remove the volumes", async () => {
      // Those of releases before, which Compose no longer counted among the stack's.
      const left = await listProjectVolumes(docker, name, { signal });
      for (const volume of left) await removeVolume(docker, volume, { signal });
      // Those that were carried over from one container to the next, for which the engine no longer knows that nobody named them.
      for (const volume of unnamed)
        if (await inspectVolume(docker, volume.name, { signal }))
          await removeVolume(docker, volume.name, { signal });
    });
  }
  await progress.stage("files", "Remove the releases", async () => {
    await appendToJournal(paths.journal, { step: "uninstalled", volumes: withVolumes });
    // `current` last: as long as it is there, the same command finds the stack again.
    if (withVolumes) await rm(paths.data, { recursive: true, force: true });
    // What tasks have done to the data is gone with it; an upgrade or a restore that was cut off has nothing left to finish.
    if (withVolumes) await removeMarks(paths.marks);
    await forgetUpgrade(paths);
    await forgetRestore(paths);
    await rm(paths.releases, { recursive: true, force: true });
    await rm(paths.current, { force: true });
    if (!withVolumes) return;
    if (withBackups) await rm(paths.backups, { recursive: true, force: true });
    await removeAllBut(paths.root, paths.backups);
  });
  const backups = (await listBackups(paths.backups)).map((record) => record.name);
  const isGone = withVolumes && backups.length === 0;
  return { name, volumes, volumesRemoved: withVolumes, backups, folder: isGone ? null : paths.root };
}

/** Of its containers, and of those that are gone. */
async function unnamedVolumes(
  docker: DockerContext,
  name: string,
  { journal }: InstalledStack["paths"],
  signal: AbortSignal,
): Promise<VolumesOnTheirOwn> {
  const here = (await listUnnamedVolumes(docker, name, { signal })).map(
    ({ service, number, target, name }): UnnamedVolume => ({ service, number, target, name }),
  );
  const { volumes, toRemove } = detachedVolumes(await readJournal(journal));
  const isGone = (volume: UnnamedVolume) => !here.some((each) => each.name === volume.name);
  return { volumes: [...here, ...volumes.filter(isGone)], toRemove: toRemove.filter(isGone) };
}

/** A folder with backups stays; without any, all of it goes. */
async function removeAllBut(root: string, backups: string): Promise<void> {
  await rmdir(backups).catch(() => undefined);
  const names = await readdir(root);
  if (!names.some((name) => join(root, name) === backups)) {
    await rm(root, { recursive: true, force: true });
    return;
  }
  for (const name of names) {
    if (join(root, name) !== backups) await rm(join(root, name), { recursive: true, force: true });
  }
}
