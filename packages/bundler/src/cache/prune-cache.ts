import { readdir, readFile, rm, stat } from "node:fs/promises";
import path from "node:path";

export interface CacheFacts {
  directory: string;
  blobs: number;
  layers: number;
  images: number;
  sizeBytes: number;
  /** Oldest use of a blob. */
  oldestUse?: Date;
}

/** What the cache holds. One that is not there holds nothing. */
export async function readCacheFacts(directory: string): Promise<CacheFacts> {
  const blobs = await listFiles(path.join(directory, "blobs"));
  const oldestMs = Math.min(...blobs.map((blob) => blob.usedMs));
  return {
    directory,
    blobs: blobs.length,
    layers: (await listFiles(path.join(directory, "layers"))).length,
    images: (await listFiles(path.join(directory, "images"))).length,
    sizeBytes: sumBytes(blobs),
    ...(blobs.length > 0 && { oldestUse: new Date(oldestMs) }),
  };
}

export interface PruneLimits {
  /** What was not used since then goes. */
  usedSince?: Date;
  /** Then the least recently used go, until no more than this is left. */
  maxSizeBytes?: number;
}

export interface Pruned {
  blobs: number;
  freedBytes: number;
  leftBytes: number;
}

/**
 * Removes what is old, and records whose blob is gone. A pack that runs meanwhile finds
 * what it wants gone, at worst, and makes it again.
 */
export async function pruneCache(
  directory: string,
  { usedSince, maxSizeBytes = Number.POSITIVE_INFINITY }: PruneLimits,
): Promise<Pruned> {
  const blobs = (await listFiles(path.join(directory, "blobs"))).sort((a, b) => a.usedMs - b.usedMs);
  let leftBytes = sumBytes(blobs);
  const pruned: Pruned = { blobs: 0, freedBytes: 0, leftBytes };
  for (const blob of blobs) {
    const isOld = usedSince !== undefined && blob.usedMs < usedSince.getTime();
    if (!isOld && leftBytes <= maxSizeBytes) continue;
    await rm(blob.file, { force: true });
    leftBytes -= blob.sizeBytes;
    pruned.blobs += 1;
    pruned.freedBytes += blob.sizeBytes;
  }
  const left = new Set(
    (await listFiles(path.join(directory, "blobs"))).map((blob) => path.basename(blob.file)),
  );
  for (const folder of ["layers", "images"]) {
    for (const record of await listFiles(path.join(directory, folder))) {
      const blob = await blobOf(record.file);
      if (blob === undefined || !left.has(blob)) await rm(record.file, { force: true });
    }
  }
  return { ...pruned, leftBytes };
}

/** The name of the blob that a record speaks of. */
async function blobOf(record: string): Promise<string | undefined> {
  try {
    const { digest, configDigest } = JSON.parse(await readFile(record, "utf8"));
    return String(digest ?? configDigest).replace(/^sha256:/, "");
  } catch {
    return undefined;
  }
}

interface CachedFile {
  file: string;
  sizeBytes: number;
  usedMs: number;
}

async function listFiles(folder: string): Promise<CachedFile[]> {
  const names = await readdir(folder).catch((error) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  const files: CachedFile[] = [];
  for (const name of names) {
    const file = path.join(folder, name);
    // Another pack or prune may have removed it meanwhile.
    const info = await stat(file).catch(() => undefined);
    if (info?.isFile()) files.push({ file, sizeBytes: info.size, usedMs: info.mtimeMs });
  }
  return files;
}

function sumBytes(files: readonly CachedFile[]): number {
  return files.reduce((sum, file) => sum + file.sizeBytes, 0);
}
