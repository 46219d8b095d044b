import { rm } from "node:fs/promises";
import {
  composeDown,
  type DockerContext,
  listProjectVolumes,
  readEngineFacts,
  removeVolume,
} from "@drybag/docker";
import type { Progress } from "@drybag/terminal";
import type { InstalledStack } from "../site/installed-stacks.ts";
import { appendToJournal } from "../site/journal.ts";
import { lockSite } from "../site/site-lock.ts";

export const UNINSTALL_STAGES = ["down", "volumes", "files"];

export interface Uninstalled {
  name: string;
  /** Volumes with data: removed, or still here. */
  volumes: string[];
  volumesRemoved: boolean;
  /** What is left of the stack's folder; null where all of it is gone. */
  folder: string | null;
}

/**
 * Takes a stack away: its containers, networks and releases. Its data (volumes, `data/`), and what is needed to make sense of it
 * later (the answers, the signer, the journal) stay, unless volumes are to go as well. Images stay: `prune` is for them.
 * The same command again finishes one that was cut off. Throws `already-running`, `docker-failed`.
 */
export async function uninstall(
  { name, paths }: Pick<InstalledStack, "name" | "paths">,
  { withVolumes }: { withVolumes: boolean },
  { docker, progress, signal }: { docker: DockerContext; progress: Progress; signal: AbortSignal },
): Promise<Uninstalled> {
  // Said in its own words where the engine does not answer; nothing has been touched then.
  await readEngineFacts(docker, { signal });
  await using _lock = await lockSite(paths.lock);
  await progress.stage("down", "Remove the containers", () => composeDown(docker, name, { signal }));
  const volumes = await listProjectVolumes(docker, name, { signal });
  if (withVolumes && volumes.length > 0) {
    await progress.stage("volumes", "Remove the volumes", async () => {
      for (const volume of volumes) await removeVolume(docker, volume, { signal });
    });
  }
  await progress.stage("files", "Remove the releases", async () => {
    await appendToJournal(paths.journal, { step: "uninstalled", volumes: withVolumes });
    // `current` last: as long as it is there, the same command finds the stack again.
    if (withVolumes) await rm(paths.data, { recursive: true, force: true });
    await rm(paths.releases, { recursive: true, force: true });
    await rm(paths.current, { force: true });
    if (withVolumes) await rm(paths.root, { recursive: true, force: true });
  });
  return { name, volumes, volumesRemoved: withVolumes, folder: withVolumes ? null : paths.root };
}
