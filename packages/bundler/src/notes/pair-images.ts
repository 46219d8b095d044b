import { normalizeReference } from "@drybag/format";
import type { ReleaseImage } from "./release-side.ts";

/** An image that came, went, or is another one now. */
export interface ImageChange {
  /** As people write it, without the tag. */
  repository: string;
  before?: ImageState;
  after?: ImageState;
}

export interface ImageState {
  tag: string;
  /** Of the registry where it is known, else of the image's config. */
  digest?: string;
}

/**
 * What happened to the images. The same tag on both sides is one image; of the others, those of one repository belong together in
 * their order, so that a new tag is told as an update. Sorted by repository.
 */
export function pairImages(before: readonly ReleaseImage[], after: readonly ReleaseImage[]): ImageChange[] {
  const now = new Map(after.map((image) => [image.tag, image]));
  const same = before.flatMap((old) => {
    const image = now.get(old.tag);
    return image === undefined ? [] : [[old, image] as const];
  });
  const tags = new Set(same.map(([old]) => old.tag));
  const changed = same.filter(([old, image]) => !isSameImage(old, image)).map((pair) => change(...pair));
  const rest = new Map<string, { before: ReleaseImage[]; after: ReleaseImage[] }>();
  const sort = (images: readonly ReleaseImage[], side: "before" | "after") => {
    for (const image of images.filter(({ tag }) => !tags.has(tag))) {
      const group = rest.get(repositoryOf(image.tag)) ?? { before: [], after: [] };
      group[side].push(image);
      rest.set(repositoryOf(image.tag), group);
    }
  };
  sort(before, "before");
  sort(after, "after");
  for (const group of rest.values()) {
    const length = Math.max(group.before.length, group.after.length);
    for (let at = 0; at < length; at += 1) changed.push(change(group.before[at], group.after[at]));
  }
  return changed.sort((a, b) => (a.repository < b.repository ? -1 : a.repository > b.repository ? 1 : 0));
}

/** Where nothing is known of one of them, the same tag counts as the same image. */
function isSameImage(a: ReleaseImage, b: ReleaseImage): boolean {
  if (a.configDigest !== undefined && b.configDigest !== undefined) return a.configDigest === b.configDigest;
  if (a.repoDigests.some((digest) => b.repoDigests.includes(digest))) return true;
  if (a.diffIds === undefined || b.diffIds === undefined) return true;
  return a.diffIds.join() === b.diffIds.join();
}

function change(before: ReleaseImage | undefined, after: ReleaseImage | undefined): ImageChange {
  return {
    repository: repositoryOf((after ?? before)?.tag ?? ""),
    ...(before && { before: stateOf(before) }),
    ...(after && { after: stateOf(after) }),
  };
}

function stateOf({ tag, repoDigests, configDigest }: ReleaseImage): ImageState {
  const digest = repoDigests[0]?.replace(/^.*@/, "") ?? configDigest;
  return { tag: tag.slice(tag.lastIndexOf(":") + 1), ...(digest !== undefined && { digest }) };
}

/** The tag of an image in a bundle always has its `:tag`. */
function repositoryOf(tag: string): string {
  try {
    return normalizeReference(tag).familiar.replace(/:[^:/]*$/, "");
  } catch {
    return tag.replace(/:[^:/]*$/, "");
  }
}
