import { type DockerContext, inspectImage, removeImage } from "@drybag/docker";

/** How long the engine may take for all of them, in milliseconds: this runs after a failure or a Ctrl-C. */
const DEADLINE_MS = 30_000;

/** Removes those of these images, by their IDs, that have no tag. Under a signal of its own, as restoreTags. */
export async function removeUntagged(docker: DockerContext, imageIds: readonly string[]): Promise<void> {
  const options = { signal: AbortSignal.timeout(DEADLINE_MS) };
  for (const imageId of imageIds) {
    const found = await inspectImage(docker, imageId, options);
    if (found?.tags.length === 0) await removeImage(docker, imageId, options);
  }
}
