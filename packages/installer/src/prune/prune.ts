import { rm } from "node:fs/promises";
import { join } from "node:path";
import { type DockerContext, inspectImage, readEngineFacts, removeImage } from "@drybag/docker";
import type { Manifest } from "@drybag/format";
import { expectedImageId } from "../images/image-state.ts";
import { readReadable, releaseNames } from "../releases/list-releases.ts";
import { type InstalledStack, listStackNames } from "../site/installed-stacks.ts";
import { appendToJournal, committedReleases, readJournal } from "../site/journal.ts";
import { lockSite } from "../site/site-lock.ts";
import { sitePaths } from "../site/site-paths.ts";
import { imagesToPrune, releasesToPrune } from "./plan-prune.ts";

export interface Pruned {
  name: string;
  releases: string[];
  /** Removed from the engine. */
  images: string[];
  /** Still used by some container. */
  imagesInUse: string[];
}

/**
 * Removes releases that are no longer wanted, and their images where no release that stays needs them, in any stack of the folder.
 * The engine itself refuses to remove an image that a container was made of. Throws `already-running`.
 */
export async function prune(
  { name, paths, current }: InstalledStack,
  { dir, keep }: { dir: string; keep: number },
  { docker, signal }: { docker: DockerContext; signal: AbortSignal },
): Promise<Pruned> {
  await using _lock = await lockSite(paths.lock);
  const { imageStore } = await readEngineFacts(docker, { signal });
  const history = committedReleases(await readJournal(paths.journal));
  const going = releasesToPrune(await releaseNames(paths), history, current.name, keep);
  const images = imagesToPrune(
    await manifestsOf(dir, name, (release) => going.includes(release)),
    [
      ...(await manifestsOf(dir, name, (release) => !going.includes(release))),
      ...(await manifestsOfOthers(dir, name)),
    ],
    (image) => expectedImageId(image, imageStore),
  );
  await appendToJournal(paths.journal, { step: "pruned", releases: going });
  const pruned: Pruned = { name, releases: going, images: [], imagesInUse: [] };
  for (const { id, tag } of images) {
    if (!(await inspectImage(docker, id, { signal }))) continue;
    await removeImage(docker, id, { signal });
    const isGone = (await inspectImage(docker, id, { signal })) === undefined;
    (isGone ? pruned.images : pruned.imagesInUse).push(tag);
  }
  // Files last: were this cut off before, the next prune still knows the images.
  for (const release of going) await rm(join(paths.releases, release), { recursive: true });
  return pruned;
}

async function manifestsOfOthers(dir: string, name: string): Promise<Manifest[]> {
  const others = (await listStackNames(dir)).filter((other) => other !== name);
  return (await Promise.all(others.map((other) => manifestsOf(dir, other, () => true)))).flat();
}

async function manifestsOf(
  dir: string,
  stack: string,
  wanted: (release: string) => boolean,
): Promise<Manifest[]> {
  const paths = sitePaths(dir, stack);
  const names = (await releaseNames(paths)).filter(wanted);
  const releases = await Promise.all(names.map((each) => readReadable(paths, each)));
  return releases.flatMap((release) => (release ? [release.manifest] : []));
}
