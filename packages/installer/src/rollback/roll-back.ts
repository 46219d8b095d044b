import {
  type DockerContext,
  type EngineFacts,
  type ImageStore,
  inspectImage,
  readComposeModel,
  readEngineFacts,
} from "@drybag/docker";
import { DrybagError } from "@drybag/errors";
import type { Manifest } from "@drybag/format";
import { expectedImageId, recordedTag } from "../images/image-state.ts";
import { restoreTags } from "../images/restore-tags.ts";
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

/** In order, for the numbers in front of their titles. */
export const ROLLBACK_STAGES = ["tags", "health"];

/**
 * Starts an earlier release again: its tags back to its images, its own files and its settings as they were. Data is not touched, in
 * volumes or in folders. Where it does not get healthy, the release that ran runs again.
 * Throws `image-not-found` where the engine no longer has its images, `unhealthy`, `up-failed`, `already-running`.
 */
export async function rollBack(
  { name: projectName, paths, current }: InstalledStack,
  target: InstalledRelease,
  options: { healthTimeoutMs: number },
  surroundings: InstallSurroundings,
): Promise<StartResult> {
  const { docker, engineIsLocal, progress, signal } = surroundings;
  const stopwatch = new Stopwatch(progress);
  const { manifest, name: release, folder } = target;
  await using site = await enterSite(paths, release);

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
    tags.push(recordedTag({ image, found, problem: undefined }));
  }
  await appendToJournal(journal, { step: "tags-recorded", tags });
  await restoreTags(
    docker,
    images.map((image) => ({ tag: image.tag, imageId: expectedImageId(image, store) })),
  );
  await appendToJournal(journal, { step: "images-loaded", tags: images.map(({ tag }) => tag) });
}
