import {
  type DockerContext,
  type ImageFacts,
  inspectImage,
  inspectImages,
  pullImage,
  type RunOptions,
  tagImage,
} from "@drybag/docker";
import { DrybagError } from "@drybag/errors";
import type { Platform } from "@drybag/format";
import type { NeededImage } from "./collect-images.ts";

/** An image that the engine has, ready to be saved under its tag. */
export interface ResolvedImage extends NeededImage {
  facts: ImageFacts;
  wasPulled: boolean;
}

/**
 * Makes sure that the engine has every image for the platform: pulls what is not there, and tags what is named by digest.
 * Throws `image-not-found`, `image-platform`, `pull-failed`.
 */
export async function resolveImages(
  docker: DockerContext,
  images: readonly NeededImage[],
  platform: Platform,
  report: { message(text: string): void },
  signal: AbortSignal,
): Promise<ResolvedImage[]> {
  const references = images.map((image) => image.reference);
  // Most often all are there: one client for all of them starts faster than one each.
  const known = await inspectImages(docker, references, { signal });
  const resolved: ResolvedImage[] = [];
  for (const [index, image] of images.entries()) {
    report.message(image.reference);
    resolved.push(await resolveImage(docker, image, known?.[index], platform, report, signal));
  }
  return resolved;
}

async function resolveImage(
  docker: DockerContext,
  image: NeededImage,
  known: ImageFacts | undefined,
  platform: Platform,
  report: { message(text: string): void },
  signal: AbortSignal,
): Promise<ResolvedImage> {
  const run: RunOptions = { signal };
  let facts = known ?? (await inspectImage(docker, image.reference, run));
  const wasPulled = facts === undefined || !fits(facts, platform);
  if (wasPulled) {
    if (image.isBuilt) throw notBuilt(image, facts, platform);
    report.message(`pulling ${image.reference}`);
    await pullImage(docker, image.reference, { ...run, platform: platformText(platform) });
    facts = await inspectImage(docker, image.reference, run);
  }
  if (facts === undefined || facts.diffIds.length === 0) {
    throw new DrybagError("image-not-found", `The engine does not have ${image.reference} whole.`, {
      hint: `Remove it ('docker image rm ${image.reference}') and pack again.`,
    });
  }
  if (!fits(facts, platform)) throw wrongPlatform(image, facts, platform);
  if (image.tag !== image.reference) await tagImage(docker, image.reference, image.tag, run);
  return { ...image, facts, wasPulled };
}

function fits(facts: ImageFacts, platform: Platform): boolean {
  return facts.os === platform.os && facts.architecture === platform.architecture;
}

export function platformText(platform: Platform): string {
  return [platform.os, platform.architecture, platform.variant].filter(Boolean).join("/");
}

function notBuilt(image: NeededImage, facts: ImageFacts | undefined, platform: Platform): DrybagError {
  if (facts !== undefined) return wrongPlatform(image, facts, platform);
  return new DrybagError("image-not-found", `${image.reference} is built by the project and is not there.`, {
    hint: "Leave out --no-build, or run 'docker compose build' first.",
  });
}

function wrongPlatform(image: NeededImage, facts: ImageFacts, platform: Platform): DrybagError {
  return new DrybagError(
    "image-platform",
    `${image.reference} is made for ${facts.os}/${facts.architecture}, not for ${platformText(platform)}.`,
    {
      hint: "Choose a tag that exists for the server's platform, or pack with --platform for another server.",
    },
  );
}
