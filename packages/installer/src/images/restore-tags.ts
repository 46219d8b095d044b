import { type DockerContext, inspectImage, removeImage, tagImage } from "@drybag/docker";
import type { RecordedTag } from "../site/journal.ts";

/** How long the engine may take for all of them, in milliseconds: this runs after a failure or a Ctrl-C. */
const DEADLINE_MS = 30_000;

/**
 * Gives tags back to the images that had them, and takes those away that no image had. Under a signal of its own, because the
 * install's may be what ended it. A tag that is as it was is left alone.
 */
export async function restoreTags(docker: DockerContext, tags: readonly RecordedTag[]): Promise<void> {
  const options = { signal: AbortSignal.timeout(DEADLINE_MS) };
  for (const { tag, imageId } of tags) {
    const found = await inspectImage(docker, tag, options);
    if ((found?.id ?? null) === imageId) continue;
    if (imageId === null || (await inspectImage(docker, imageId, options)) === undefined) {
      await removeImage(docker, tag, options);
      continue;
    }
    await tagImage(docker, imageId, tag, options);
    if (!found) continue;
    // Without its tag the loaded one would stay behind, nameless.
    const loaded = await inspectImage(docker, found.id, options);
    if (loaded?.tags.length === 0) await removeImage(docker, found.id, options);
  }
}
