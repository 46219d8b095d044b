import type { DockerContext, ImageStore } from "@drybag/docker";
import { expectedImageId, type ImageState } from "../images/image-state.ts";
import { removeUntagged } from "../images/remove-untagged.ts";
import { restoreTags } from "../images/restore-tags.ts";
import { appendToJournal, readJournal, unsettledLoad } from "../site/journal.ts";

/**
 * Puts back what an install that was cut off may have changed in the engine and never confirmed: tags, except those that have become
 * just what this bundle wants, and images that it brought, except this bundle's. Returns the IDs of these.
 */
export async function recoverLoad(
  docker: DockerContext,
  journal: string,
  images: readonly ImageState[],
  store: ImageStore,
): Promise<string[]> {
  const { tags, absent } = unsettledLoad(await readJournal(journal));
  if (tags.length === 0) return [];
  const wantedTags = new Set(images.flatMap(({ image, problem }) => (problem ? [] : [image.tag])));
  const wantedIds = new Set(images.map(({ image }) => expectedImageId(image, store)));
  const toRestore = tags.filter(({ tag }) => !wantedTags.has(tag));
  await restoreTags(docker, toRestore);
  await removeUntagged(
    docker,
    absent.filter((id) => !wantedIds.has(id)),
  );
  await appendToJournal(journal, { step: "tags-restored" });
  return absent.filter((id) => wantedIds.has(id));
}
