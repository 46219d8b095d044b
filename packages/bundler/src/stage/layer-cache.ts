import { createHash, randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { DrybagError } from "@drybag/errors";
import type { BundledLayer } from "@drybag/format";
import { type CompressionLevel, compressionRecipe } from "./compression.ts";
import { readPieces } from "./read-pieces.ts";

/**
 * A content-addressed store of staged image content:
 *
 *     blobs/<sha256>                layers as they go into a bundle, and image configs
 *     layers/<diffID>.<form>.json   which blob holds a layer: `kept` as it came, or compressed by a recipe
 *     images/<image ID>.json        config and layers of an image of the engine
 *     partial/<pid>-…               what is being written; of no worth once its process is gone
 *
 * Everything gets its final name by a rename when it is whole, so that a killed pack leaves no half entry and two packs at
 * once do no harm.
 */
export interface LayerCache {
  directory: string;
}

export interface CachedImage {
  configDigest: string;
  /** Base first. */
  layers: { diffId: string; cameCompressed: boolean }[];
}

export type LayerForm = "kept" | CompressionLevel;

const FOLDERS = ["blobs", "layers", "images", "partial"];

/** Makes the folders, and drops what killed packs left. */
export async function openLayerCache(directory: string): Promise<LayerCache> {
  for (const folder of FOLDERS) await mkdir(path.join(directory, folder), { recursive: true });
  for (const name of await readdir(path.join(directory, "partial"))) {
    if (!isAlive(Number.parseInt(name, 10))) await rm(path.join(directory, "partial", name), { force: true });
  }
  return { directory };
}

export function partialPath(cache: LayerCache): string {
  return path.join(cache.directory, "partial", `${process.pid}-${randomUUID()}`);
}

export function blobPath(cache: LayerCache, digest: string): string {
  return path.join(cache.directory, "blobs", hexOf(digest));
}

/**
 * Gives a finished temporary file its name in the cache. Not synced: whatever a power cut leaves is compared with its digest before it
 * is used, and waiting for the disk would cost every pack seconds.
 */
export async function keepBlob(temporary: string, final: string): Promise<void> {
  await rename(temporary, final);
}

/** The layer, if the cache has all of it; the length is checked here, the digest when it is written into a bundle. */
export async function findLayer(
  cache: LayerCache,
  diffId: string,
  form: LayerForm,
): Promise<BundledLayer | undefined> {
  const record = layerRecord(cache, diffId, form);
  const layer = await readRecord<BundledLayer>(record);
  if (layer === undefined) return undefined;
  const blob = blobPath(cache, layer.digest);
  const info = await stat(blob).catch(() => undefined);
  if (info?.size !== layer.sizeBytes) return undefined;
  await markAsUsed(record, blob);
  return layer;
}

/** Their times say when they were used last: see pruneCache. */
async function markAsUsed(...files: string[]): Promise<void> {
  const now = new Date();
  for (const file of files) await utimes(file, now, now).catch(() => undefined);
}

export async function keepLayer(cache: LayerCache, layer: BundledLayer, form: LayerForm): Promise<void> {
  await writeRecord(cache, layerRecord(cache, layer.diffId, form), layer);
}

/** Drops the blobs among these that are no longer what their digests say: disks rot. Returns how many. */
export async function dropRottenLayers(
  cache: LayerCache,
  layers: readonly BundledLayer[],
  signal: AbortSignal,
): Promise<number> {
  let count = 0;
  for (const { digest } of layers) {
    if (await verifyBlob(cache, digest, signal).catch(() => false)) continue;
    signal.throwIfAborted();
    // Its record says nothing without it.
    await rm(blobPath(cache, digest), { force: true });
    count += 1;
  }
  return count;
}

export async function findImage(cache: LayerCache, imageKey: string): Promise<CachedImage | undefined> {
  const record = imageRecord(cache, imageKey);
  const image = await readRecord<CachedImage>(record);
  if (image !== undefined) await markAsUsed(record, blobPath(cache, image.configDigest));
  return image;
}

export async function keepImage(cache: LayerCache, imageKey: string, image: CachedImage): Promise<void> {
  await writeRecord(cache, imageRecord(cache, imageKey), image);
}

/** A small blob, such as an image config, if it is there and is what its digest says. */
export async function readSmallBlob(cache: LayerCache, digest: string): Promise<Buffer | undefined> {
  const content = await readFile(blobPath(cache, digest)).catch(() => undefined);
  const isWhole =
    content !== undefined && createHash("sha256").update(content).digest("hex") === hexOf(digest);
  return isWhole ? content : undefined;
}

export async function keepSmallBlob(cache: LayerCache, content: Buffer): Promise<string> {
  const digest = `sha256:${createHash("sha256").update(content).digest("hex")}`;
  await writeWhole(cache, blobPath(cache, digest), content);
  return digest;
}

/** Whether a cached blob still is what its digest says: disks rot. */
export async function verifyBlob(cache: LayerCache, digest: string, signal: AbortSignal): Promise<boolean> {
  const hash = createHash("sha256");
  for await (const piece of readPieces(blobPath(cache, digest))) {
    signal.throwIfAborted();
    hash.update(piece);
  }
  return hash.digest("hex") === hexOf(digest);
}

/** An error while writing to the cache: where there is no room for it any more, in words that say which disk and what to do. */
export function cacheError(error: unknown, { directory }: LayerCache): unknown {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code !== "ENOSPC" && code !== "EDQUOT") return error;
  return new DrybagError("disk-full", `There is no space left for the cache of layers in ${directory}.`, {
    hint: "Make room there ('drybag cache prune --older-than 30d' drops old layers), or set XDG_CACHE_HOME to a folder on another disk; then pack again.",
    cause: error,
  });
}

function layerRecord(cache: LayerCache, diffId: string, form: LayerForm): string {
  const recipe = form === "kept" ? form : compressionRecipe(form);
  return path.join(cache.directory, "layers", `${hexOf(diffId)}.${recipe}.json`);
}

function imageRecord(cache: LayerCache, imageKey: string): string {
  return path.join(cache.directory, "images", `${hexOf(imageKey)}.json`);
}

async function readRecord<T>(file: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as T;
  } catch {
    return undefined;
  }
}

async function writeRecord(cache: LayerCache, file: string, record: unknown): Promise<void> {
  await writeWhole(cache, file, Buffer.from(JSON.stringify(record)));
}

async function writeWhole(cache: LayerCache, file: string, content: Buffer): Promise<void> {
  const temporary = partialPath(cache);
  await writeFile(temporary, content, { flag: "wx" });
  await rename(temporary, file);
}

function hexOf(digest: string): string {
  return digest.replace(/^sha256:/, "");
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
