import { type DockerContext, saveImages } from "@drybag/docker";
import { DrybagError } from "@drybag/errors";
import type { BundledLayer } from "@drybag/format";
import type { ResolvedImage } from "../images/resolve-images.ts";
import {
  findImage,
  findLayer,
  forgetLayer,
  keepImage,
  keepSmallBlob,
  type LayerCache,
  readSmallBlob,
  verifyBlob,
} from "./layer-cache.ts";
import { readSavedArchive, type SavedImage } from "./read-saved-archive.ts";
import { stageLayer } from "./stage-layer.ts";

/** An image whose config and layers are all in the cache. */
export interface StagedImage {
  tag: string;
  config: Buffer;
  /** Base first. */
  layers: BundledLayer[];
}

export interface StageResult {
  images: StagedImage[];
  /** How many of the layers came from the cache, of how many. */
  cachedLayers: number;
  layers: number;
}

interface StageReport {
  bytes(done: number, total?: number): void;
  message(text: string): void;
}

/**
 * Brings every image into the cache. Images that are there whole are not saved again; layers that are there are not
 * compressed again. Throws `docker-failed`.
 */
export async function stageImages(
  docker: DockerContext,
  cache: LayerCache,
  images: readonly ResolvedImage[],
  report: StageReport,
  signal: AbortSignal,
): Promise<StageResult> {
  const verified = new Set<string>();
  const missing: ResolvedImage[] = [];
  for (const image of images) {
    report.message(image.tag);
    if ((await findStaged(cache, image, verified, signal)) === undefined) missing.push(image);
  }
  const fresh =
    missing.length === 0
      ? new Set<string>()
      : await saveMissing(docker, cache, missing, verified, report, signal);
  const staged: StagedImage[] = [];
  for (const image of images) {
    const found = await findStaged(cache, image, verified, signal);
    if (found === undefined) throw incomplete(image);
    staged.push(found);
  }
  const diffIds = new Set(staged.flatMap((image) => image.layers.map((layer) => layer.diffId)));
  const cachedLayers = [...diffIds].filter((diffId) => !fresh.has(diffId)).length;
  return { images: staged, cachedLayers, layers: diffIds.size };
}

/** The image, if the cache has all of it. */
async function findStaged(
  cache: LayerCache,
  image: ResolvedImage,
  verified: Set<string>,
  signal: AbortSignal,
): Promise<StagedImage | undefined> {
  const record = await findImage(cache, image.facts.id);
  const config = record && (await readSmallBlob(cache, record.configDigest));
  if (record === undefined || config === undefined) return undefined;
  const layers: BundledLayer[] = [];
  for (const diffId of record.diffIds) {
    const layer = await findSoundLayer(cache, diffId, verified, signal);
    if (layer === undefined) return undefined;
    layers.push(layer);
  }
  return { tag: image.tag, config, layers };
}

/** The layer, hashed once a run: one that rotted is dropped, so that it is made again. */
async function findSoundLayer(
  cache: LayerCache,
  diffId: string,
  verified: Set<string>,
  signal: AbortSignal,
): Promise<BundledLayer | undefined> {
  const layer = await findLayer(cache, diffId);
  if (layer === undefined || verified.has(diffId)) return layer;
  if (!(await verifyBlob(cache, layer.digest, signal))) {
    await forgetLayer(cache, layer);
    return undefined;
  }
  verified.add(diffId);
  return layer;
}

/** Saves the images in one archive and stages what is new. Returns the diffIDs of the layers that were. */
async function saveMissing(
  docker: DockerContext,
  cache: LayerCache,
  images: readonly ResolvedImage[],
  verified: Set<string>,
  report: StageReport,
  signal: AbortSignal,
): Promise<Set<string>> {
  const fresh = new Set<string>();
  const totalBytes = distinctSizeBytes(images);
  let doneBytes = 0;
  const tags = images.map((image) => image.tag);
  const save = saveImages(docker, tags, { signal });
  const saved = await readSavedArchive(
    save.archive,
    async (entry) => {
      // A classic store names plain layers by their diffID.
      const named = /^blobs\/sha256\/([0-9a-f]{64})$/.exec(entry.name)?.[1];
      if (named !== undefined && (await findSoundLayer(cache, `sha256:${named}`, verified, signal))) {
        for await (const _ of entry.body);
        return;
      }
      const layer = await stageLayer(cache, entry.body, entry.encoding, entry.sizeBytes, signal);
      fresh.add(layer.diffId);
      verified.add(layer.diffId);
    },
    (count) => {
      doneBytes += count;
      report.bytes(doneBytes, Math.max(totalBytes, doneBytes));
    },
    signal,
  );
  await save.done;
  await keepImages(cache, images, saved);
  return fresh;
}

function distinctSizeBytes(images: readonly ResolvedImage[]): number {
  const sizes = new Map(images.map((image) => [image.facts.id, image.facts.sizeBytes]));
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}

async function keepImages(
  cache: LayerCache,
  images: readonly ResolvedImage[],
  saved: readonly SavedImage[],
): Promise<void> {
  for (const image of images) {
    const found = saved.find((each) => each.tags.some((tag) => sameTag(tag, image.tag)));
    if (found === undefined) throw incomplete(image);
    const configDigest = await keepSmallBlob(cache, found.config);
    const { rootfs } = JSON.parse(found.config.toString()) as { rootfs?: { diff_ids?: string[] } };
    await keepImage(cache, image.facts.id, { configDigest, diffIds: rootfs?.diff_ids ?? [] });
  }
}

/** Engines write tags in their short form; be it otherwise, the long one names the same image. */
function sameTag(saved: string, wanted: string): boolean {
  const long = (tag: string) => tag.replace(/^docker\.io\/(?:library\/)?/, "");
  return long(saved) === long(wanted);
}

function incomplete(image: ResolvedImage): DrybagError {
  return new DrybagError("docker-failed", `The engine did not save ${image.tag} whole.`, {
    hint: `Look at the engine's log and free disk space; pull or build ${image.reference} again and pack once more.`,
  });
}
