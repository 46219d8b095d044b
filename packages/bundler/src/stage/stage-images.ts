import { type DockerContext, type ImageSave, saveImages } from "@drybag/docker";
import { DrybagError, isDrybagError } from "@drybag/errors";
import type { BundledLayer } from "@drybag/format";
import type { ResolvedImage } from "../images/resolve-images.ts";
import { type CompressionLevel, MemoryBudget } from "./compression.ts";
import { PieceMemory } from "./even-pieces.ts";
import {
  cacheError,
  findImage,
  findLayer,
  keepImage,
  keepSmallBlob,
  type LayerCache,
  readSmallBlob,
} from "./layer-cache.ts";
import { planSaves } from "./plan-saves.ts";
import { readSavedArchive, type SavedImage, type SavedLayerEntry } from "./read-saved-archive.ts";
import { type StageLayerOptions, stageLayer } from "./stage-layer.ts";

/** An image whose config and layers are all in the cache. */
export interface StagedImage {
  tag: string;
  config: Buffer;
  /** Base first. */
  layers: BundledLayer[];
}

/** Disposing of it waits for the engine's clients, which may end a moment after they gave all. */
export interface StageResult extends AsyncDisposable {
  images: StagedImage[];
  /** How many of the layers came from the cache, of how many. */
  cachedLayers: number;
  layers: number;
}

export interface StageOptions {
  compression: CompressionLevel;
  recompress: boolean;
  signal: AbortSignal;
}

interface StageReport {
  bytes(done: number, total?: number): void;
  message(text: string): void;
}

/**
 * Brings every image into the cache. Images that are there whole are not saved again; layers that are there are not
 * compressed again. Several archives are read at once. Throws `docker-failed`.
 */
export async function stageImages(
  docker: DockerContext,
  cache: LayerCache,
  images: readonly ResolvedImage[],
  options: StageOptions,
  report: StageReport,
): Promise<StageResult> {
  const missing: ResolvedImage[] = [];
  for (const image of images) {
    if ((await findStaged(cache, image, options)) === undefined) missing.push(image);
  }
  await using clients = new AsyncDisposableStack();
  const fresh =
    missing.length === 0 ? new Set() : await saveMissing(docker, cache, missing, options, report, clients);
  const staged: StagedImage[] = [];
  for (const image of images) {
    const found = await findStaged(cache, image, options);
    if (found === undefined) throw incomplete(image);
    staged.push(found);
  }
  const layers = oneFormEach(staged);
  const cachedLayers = [...layers.keys()].filter((diffId) => !fresh.has(diffId)).length;
  const running = clients.move();
  return {
    images: staged,
    cachedLayers,
    layers: layers.size,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/**
 * An engine may hold a layer in two forms, of two images. A bundle has it once: as it came, where it came compressed, in whatever order
 * the images stand.
 */
function oneFormEach(images: readonly StagedImage[]): Map<string, BundledLayer> {
  const chosen = new Map<string, BundledLayer>();
  const rank = ({ mediaType, digest }: BundledLayer) => `${mediaType} ${digest}`;
  for (const layer of images.flatMap((image) => image.layers)) {
    const other = chosen.get(layer.diffId);
    if (other === undefined || rank(layer) < rank(other)) chosen.set(layer.diffId, layer);
  }
  for (const image of images) image.layers = image.layers.map((layer) => chosen.get(layer.diffId) ?? layer);
  return chosen;
}

/** The image, if the cache has all of it. */
async function findStaged(
  cache: LayerCache,
  image: ResolvedImage,
  { compression, recompress }: StageOptions,
): Promise<StagedImage | undefined> {
  const record = await findImage(cache, image.facts.id);
  const config = record?.layers && (await readSmallBlob(cache, record.configDigest));
  if (record === undefined || config === undefined) return undefined;
  const layers: BundledLayer[] = [];
  for (const { diffId, cameCompressed } of record.layers) {
    const layer = await findLayer(cache, diffId, cameCompressed && !recompress ? "kept" : compression);
    if (layer === undefined) return undefined;
    layers.push(layer);
  }
  return { tag: image.tag, config, layers };
}

/** How many archives the engine makes, all at once. In each, layers that others have too are sent again. */
const ARCHIVES = 3;

/** Saves the images and stages what is new. Returns the diffIDs of the layers that were, and has `clients` wait for those that go on. */
async function saveMissing(
  docker: DockerContext,
  cache: LayerCache,
  images: readonly ResolvedImage[],
  options: StageOptions,
  report: StageReport,
  clients: AsyncDisposableStack,
): Promise<Set<string>> {
  const stop = new AbortController();
  const run = { ...options, signal: AbortSignal.any([options.signal, stop.signal]) };
  const stager = new LayerStager(cache, run);
  const totalBytes = distinctSizeBytes(images);
  let doneBytes = 0;
  const onBytes = (count: number) => {
    doneBytes += count;
    report.bytes(doneBytes, Math.max(totalBytes, doneBytes));
  };
  const saving: Saving = { docker, cache, stager, onBytes, signal: run.signal, clients };
  // All end before an error goes on: nothing writes to the cache behind its back.
  await Promise.all(
    planSaves(images, ARCHIVES).map((archive) =>
      saveArchive(archive, saving).catch((error) => stop.abort(error)),
    ),
  );
  options.signal.throwIfAborted();
  if (stop.signal.aborted) throw cacheError(stop.signal.reason, cache);
  return stager.fresh;
}

interface Saving {
  docker: DockerContext;
  cache: LayerCache;
  stager: LayerStager;
  onBytes: (count: number) => void;
  signal: AbortSignal;
  /** Those that gave all, and have not ended yet. */
  clients: AsyncDisposableStack;
}

async function saveArchive(images: readonly ResolvedImage[], saving: Saving): Promise<void> {
  const { docker, cache, stager, onBytes, signal, clients } = saving;
  const tags = images.map((image) => image.tag);
  const save = await saveImages(docker, tags, { signal });
  const compressed = new Set<string>();
  let saved: SavedImage[];
  try {
    saved = await readSavedArchive(
      save.archive,
      async (entry) => {
        if (entry.encoding !== "none") compressed.add(entry.name);
        await stager.stage(entry);
      },
      onBytes,
    );
  } catch (error) {
    // Of an archive that breaks off, the client says why.
    if (isDrybagError(error, "docker-failed")) await save.done;
    // Whatever else went wrong, the client has ended before this does.
    save.close();
    await save.done.catch(() => undefined);
    throw error;
  }
  const ended = readToEnd(save);
  clients.defer(() => ended);
  await keepImages(cache, images, saved, compressed);
}

/**
 * The client writes zeros to the end of its last block, and ends when the engine has tidied up. How it ends says nothing any more: what
 * it gave has been seen to be what its digests say.
 */
async function readToEnd(save: ImageSave): Promise<void> {
  try {
    for await (const _ of save.archive);
    await save.done;
  } catch {
    save.close();
    await save.done.catch(() => undefined);
  }
}

/** Stages each layer once, in whatever archives it comes. */
class LayerStager {
  /** diffIDs of what was staged. */
  readonly fresh = new Set<string>();
  readonly #cache: LayerCache;
  readonly #options: StageLayerOptions;
  readonly #started = new Set<string>();

  constructor(cache: LayerCache, { compression, recompress, signal }: StageOptions) {
    this.#cache = cache;
    this.#options = {
      level: compression,
      recompress,
      signal,
      budget: new MemoryBudget(),
      memory: new PieceMemory(),
    };
  }

  async stage(entry: SavedLayerEntry): Promise<void> {
    if (await this.#isThere(entry)) {
      for await (const _ of entry.body);
      return;
    }
    const layer = await stageLayer(this.#cache, entry, this.#options);
    this.fresh.add(layer.diffId);
  }

  /** Only where the name says what is in it: blobs have the name of their digest, and plain ones that of their diffID. */
  async #isThere({ name, encoding }: SavedLayerEntry): Promise<boolean> {
    const hex = /^blobs\/sha256\/([0-9a-f]{64})$/.exec(name)?.[1];
    if (hex === undefined) return false;
    if (this.#started.has(hex)) return true;
    this.#started.add(hex);
    return (
      encoding === "none" &&
      (await findLayer(this.#cache, `sha256:${hex}`, this.#options.level)) !== undefined
    );
  }
}

function distinctSizeBytes(images: readonly ResolvedImage[]): number {
  const sizes = new Map(images.map((image) => [image.facts.id, image.facts.sizeBytes]));
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}

async function keepImages(
  cache: LayerCache,
  images: readonly ResolvedImage[],
  saved: readonly SavedImage[],
  compressed: ReadonlySet<string>,
): Promise<void> {
  for (const image of images) {
    const found = saved.find((each) => each.tags.some((tag) => sameTag(tag, image.tag)));
    if (found === undefined) throw incomplete(image);
    const configDigest = await keepSmallBlob(cache, found.config);
    const { rootfs } = JSON.parse(found.config.toString()) as { rootfs?: { diff_ids?: string[] } };
    const layers = (rootfs?.diff_ids ?? []).map((diffId, index) => ({
      diffId,
      cameCompressed: compressed.has(found.layerEntries[index] ?? ""),
    }));
    await keepImage(cache, image.facts.id, { configDigest, layers });
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
