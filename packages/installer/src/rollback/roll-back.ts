import { join } from "node:path";
import {
  type ComposeModel,
  type DockerContext,
  type EngineFacts,
  type ImageStore,
  inspectImage,
  readComposeModel,
  readEngineFacts,
} from "@drybag/docker";
import { DrybagError, isDrybagError } from "@drybag/errors";
import type { Manifest } from "@drybag/format";
import { backUpStack } from "../backup/back-up-stack.ts";
import type { BackupRecord } from "../backup/backup-record.ts";
import { requireRestorable, restoreData, verifyBackup } from "../backup/restore-data.ts";
import { expectedImageId, recordedTag } from "../images/image-state.ts";
import { restoreTags } from "../images/restore-tags.ts";
import { afterFailure } from "../install/after-failure.ts";
import { bringUp } from "../install/bring-up.ts";
import type { InstallSurroundings } from "../install/install-options.ts";
import { interruptedIn } from "../install/interrupted.ts";
import type { StartResult } from "../install/start-release.ts";
import { Stopwatch } from "../install/stopwatch.ts";
import { releaseFlags } from "../release/release-flags.ts";
import { type InstalledRelease, switchCurrent } from "../site/current-release.ts";
import { enterSite } from "../site/enter-site.ts";
import type { InstalledStack } from "../site/installed-stacks.ts";
import { appendToJournal } from "../site/journal.ts";
import { settleSite, type UpgradeSurroundings } from "../upgrade/begin-upgrade.ts";
import { forgetUpgrade, noteUpgrade } from "../upgrade/unfinished-upgrade.ts";

/** In order, for the numbers in front of their titles. */
export const ROLLBACK_STAGES = ["tags", "health"];

/**
 * Starts an earlier release again: its tags back to its images, its own files and its settings as they were. Data is not touched, in
 * volumes or in folders, unless a backup is to be restored with it. Where it does not get healthy, the release that ran runs again.
 * Throws `image-not-found` where the engine no longer has its images, `unhealthy`, `up-failed`, `already-running`.
 */
export async function rollBack(
  { name: projectName, paths, current }: InstalledStack,
  target: InstalledRelease,
  options: { healthTimeoutMs: number; restore?: BackupRecord },
  surroundings: InstallSurroundings,
): Promise<StartResult> {
  const { docker, engineIsLocal, progress, signal } = surroundings;
  const stopwatch = new Stopwatch(progress);
  const { manifest, name: release, folder } = target;
  await using site = await enterSite(paths, release);

  const upgrading = { docker, engineIsLocal, projectName, paths, stopwatch, signal };
  await settleSite(release, current, upgrading);
  const { engine, model } = await stopwatch.stage("tags", `Give ${release} its images back`, async () => {
    const engine: EngineFacts = await readEngineFacts(docker, { signal });
    const flags = releaseFlags(manifest, folder, projectName);
    const model = await readComposeModel(docker, flags, { signal });
    await requireImages(docker, manifest, engine.imageStore, signal);
    await appendToJournal(paths.journal, {
      step: "rollback-started",
      release,
      previousRelease: current.name,
    });
    await moveTags(docker, manifest, engine.imageStore, paths.journal, signal);
    return { engine, model };
  });

  if (options.restore !== undefined) {
    try {
      await restoreForRollback(current, target, { ...upgrading, record: options.restore, model });
    } catch (error) {
      if (signal.aborted || !isDrybagError(error)) throw error;
      const { healthTimeoutMs } = options;
      const failed = { site: { ...site, previous: current }, projectName, release, healthTimeoutMs };
      const store = engine.imageStore;
      throw await afterFailure(error, { ...failed, store }, { ...surroundings, stopwatch });
    }
  }
  const result = await bringUp(
    { ...site, previous: current },
    {
      docker,
      engineIsLocal,
      flags: releaseFlags(manifest, folder, projectName),
      projectName,
      manifest,
      store: engine.imageStore,
      name: release,
      folder,
      model,
    },
    options,
    { ...surroundings, stopwatch },
  ).catch((error: unknown) => {
    throw signal.aborted ? interruptedIn("starting", error) : error;
  });
  await switchCurrent(paths, release);
  await forgetUpgrade(paths);
  await appendToJournal(paths.journal, { step: "committed", release });
  return result;
}

async function requireImages(
  docker: DockerContext,
  manifest: Manifest,
  store: ImageStore,
  signal: AbortSignal,
) {
  const missing: string[] = [];
  for (const image of manifest.images) {
    if (!(await inspectImage(docker, expectedImageId(image, store), { signal }))) missing.push(image.tag);
  }
  if (missing.length === 0) return;
  throw new DrybagError(
    "image-not-found",
    `The engine no longer has ${missing.join(", ")} of that release.`,
    {
      hint: "Nothing was changed. Install the bundle of that release again: it brings them.",
    },
  );
}

/** As a load does: written down before, so that whatever cuts this off, the next command can put it back. */
async function moveTags(
  docker: DockerContext,
  { images }: Manifest,
  store: ImageStore,
  journal: string,
  signal: AbortSignal,
): Promise<void> {
  const tags = [];
  for (const image of images) {
    const found = await inspectImage(docker, image.tag, { signal });
    tags.push(recordedTag({ image, found }));
  }
  await appendToJournal(journal, { step: "tags-recorded", tags });
  await restoreTags(
    docker,
    images.map((image) => ({ tag: image.tag, imageId: expectedImageId(image, store) })),
  );
  await appendToJournal(journal, { step: "images-loaded", tags: images.map(({ tag }) => tag) });
}

/**
 * What there is now goes into a backup of its own, and the old data takes its place. Written down as an upgrade, so that a failure, or the
 * command after one that was cut off, puts everything back.
 */
async function restoreForRollback(
  current: InstalledRelease,
  target: InstalledRelease,
  input: UpgradeSurroundings & { record: BackupRecord; model: ComposeModel },
): Promise<void> {
  const { docker, engineIsLocal, projectName, paths, stopwatch, signal, record, model } = input;
  const folder = join(paths.backups, record.name);
  await stopwatch.stage("verify", "Verify the backup", (report) =>
    verifyBackup(folder, record, report, signal),
  );
  await requireRestorable({ docker, projectName, model, manifest: target.manifest, record, signal });
  const rules = { ...current.manifest.backup, keep: Number.MAX_SAFE_INTEGER };
  const around = { docker, engineIsLocal, projectName, paths, stopwatch, signal };
  const aside = await backUpStack({
    ...around,
    release: current,
    rules,
    reason: "rollback",
    afterwards: "stay",
  });
  const [release, previousRelease, backup] = [target.name, current.name, aside.name];
  await noteUpgrade(paths, { release, previousRelease, backup, tasksDone: [], taskRunning: "restore" });
  await appendToJournal(paths.journal, { step: "upgrade-started", release, previousRelease, backup });
  await stopwatch.stage("restore", "Restore the data", (report) =>
    restoreData({ ...around, model, manifest: target.manifest, folder, record, report, signal }),
  );
  await noteUpgrade(paths, { release, previousRelease, backup, tasksDone: [], taskRunning: null });
}
