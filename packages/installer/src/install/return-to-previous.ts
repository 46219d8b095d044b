import {
  composeUp,
  type DockerContext,
  finishRecreations,
  type ImageStore,
  inspectImage,
} from "@drybag/docker";
import { expectedImageId } from "../images/image-state.ts";
import { restoreTags } from "../images/restore-tags.ts";
import { releaseFlags } from "../release/release-flags.ts";
import type { InstalledRelease } from "../site/current-release.ts";

/** How long Compose may take to start the previous release, in milliseconds. */
const DEADLINE_MS = 5 * 60_000;

/**
 * Starts the release again that ran before: its tags back to its images, then its own Compose files. Returns whether Compose could.
 * Under a signal of its own: this is what happens after a failure.
 */
export async function returnToPrevious(input: {
  docker: DockerContext;
  store: ImageStore;
  projectName: string;
  previous: InstalledRelease;
}): Promise<boolean> {
  const { docker, store, projectName, previous } = input;
  const { manifest, folder } = previous;
  const options = { signal: AbortSignal.timeout(DEADLINE_MS) };
  for (const image of manifest.images) {
    const imageId = expectedImageId(image, store);
    // One that is gone cannot be given its tag back; Compose will say what it lacks.
    if (await inspectImage(docker, imageId, options))
      await restoreTags(docker, [{ tag: image.tag, imageId }]);
  }
  await finishRecreations(docker, projectName, options);
  const { exitCode } = await composeUp(docker, releaseFlags(manifest, folder, projectName), options);
  return exitCode === 0;
}
