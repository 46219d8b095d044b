import type { DockerContext } from "@drybag/docker";
import type { ImageState } from "../images/image-state.ts";
import { restoreTags } from "../images/restore-tags.ts";
import { appendToJournal, readJournal, unsettledTags } from "../site/journal.ts";

/**
 * Puts back the tags that an install which was cut off may have moved and never confirmed, except those that have become just what
 * this bundle wants. Returns how many there were.
 */
export async function recoverTags(
  docker: DockerContext,
  journal: string,
  images: readonly ImageState[],
): Promise<number> {
  const unsettled = unsettledTags(await readJournal(journal));
  if (unsettled.length === 0) return 0;
  const wanted = new Set(images.filter(({ problem }) => problem === undefined).map(({ image }) => image.tag));
  const toRestore = unsettled.filter(({ tag }) => !wanted.has(tag));
  await restoreTags(docker, toRestore);
  await appendToJournal(journal, { step: "tags-restored" });
  return toRestore.length;
}
