import type { DockerContext, ImageFacts, ImageStore, RunOptions } from "@drybag/docker";
import { inspectImage } from "@drybag/docker";
import type { BundledImage } from "@drybag/format";
import type { RecordedTag } from "../site/journal.ts";

/** The ID that the engine gives to an image of a bundle. */
export function expectedImageId(image: BundledImage, store: ImageStore): string {
  return store === "containerd" ? image.manifestDigest : image.configDigest;
}

/**
 * Why what the engine has under a tag is not the bundle's image; undefined when it is. The engine's ID alone does not do: a
 * containerd store gives the right ID to an image whose content it could not unpack.
 */
export function imageProblem(
  image: BundledImage,
  found: ImageFacts | undefined,
  store: ImageStore,
): string | undefined {
  if (found === undefined) return "is not there";
  const expected = expectedImageId(image, store);
  if (found.id !== expected) return `has the ID ${found.id}, not ${expected}`;
  if (found.diffIds.length === 0 && image.diffIds.length > 0) return "has no content";
  const differs = image.diffIds.some((id, index) => found.diffIds[index] !== id);
  if (differs || found.diffIds.length !== image.diffIds.length) return "has other layers";
  return undefined;
}

export interface ImageState {
  image: BundledImage;
  /** What has the image's tag. */
  found: ImageFacts | undefined;
  /** Why that is not the bundle's image; undefined when it is. */
  problem: string | undefined;
  /** The engine has the bundle's image, be it without its tag. */
  isThere: boolean;
}

/** Of an engine that nothing is known of. */
export function stateOfNone(image: BundledImage): ImageState {
  return { image, found: undefined, problem: imageProblem(image, undefined, "classic"), isThere: false };
}

/** What the engine has of each image of a bundle. */
export async function readImageStates(
  docker: DockerContext,
  images: readonly BundledImage[],
  store: ImageStore,
  options: RunOptions,
): Promise<ImageState[]> {
  return Promise.all(
    images.map(async (image) => {
      const found = await inspectImage(docker, image.tag, options);
      const problem = imageProblem(image, found, store);
      const isThere =
        problem === undefined || (await untaggedProblem(docker, image, store, options)) === undefined;
      return { image, found, problem, isThere };
    }),
  );
}

/** Why what the engine has under the image's ID, whatever its tags, is not the bundle's image; undefined when it is. */
export async function untaggedProblem(
  docker: DockerContext,
  image: BundledImage,
  store: ImageStore,
  options: RunOptions,
): Promise<string | undefined> {
  return imageProblem(image, await inspectImage(docker, expectedImageId(image, store), options), store);
}

export function recordedTag({ image, found }: Pick<ImageState, "image" | "found">): RecordedTag {
  return { tag: image.tag, imageId: found?.id ?? null };
}
