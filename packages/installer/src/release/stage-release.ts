import { createWriteStream } from "node:fs";
import { mkdir, readdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import {
  EXTRA_PREFIX,
  fsyncDirectory,
  MANIFEST_ENTRY,
  OFFLINE_COMPOSE_ENTRY,
  OFFLINE_ENV_ENTRY,
  PROJECT_PREFIX,
} from "@drybag/format";
import type { BundlePass } from "../bundle-pass.ts";
import { isPartialName } from "../site/site-paths.ts";
import { linkDataFolder } from "./site-data.ts";

/**
 * Reads the entries before the images into a folder: the project as it was, compose.offline.yaml, its values and the manifest; of what is
 * extra only what is `wanted`. The pass then
 * stands at the first entry of the images; what comes next can be decided before the rest of the stick is read.
 */
export async function stageRelease(
  pass: BundlePass,
  { folder, data, wanted = [] }: { folder: string; data: string; wanted?: readonly string[] },
  signal: AbortSignal,
): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o755 });
  await writeThrough(join(folder, MANIFEST_ENTRY), [pass.bundle.manifestBytes], 0o644, signal);
  const folders = new Set([folder]);
  while (isReleaseEntry(pass.nextPath())) {
    const { entry, body } = await pass.next();
    if (entry.path.startsWith(EXTRA_PREFIX) && !wanted.includes(entry.path)) continue;
    const path = join(folder, entry.path.replace(/\/$/, ""));
    await mkdir(dirname(path), { recursive: true });
    for (let each = dirname(path); each.length > folder.length; each = dirname(each)) folders.add(each);
    if (entry.type === "file") await writeThrough(path, body, entry.mode, signal);
    else await linkDataFolder(entry.path, folder, data);
  }
  for (const each of folders) await fsyncDirectory(each);
}

function isReleaseEntry(path: string | undefined): boolean {
  if (path === undefined) return false;
  const isFile = path === OFFLINE_COMPOSE_ENTRY || path === OFFLINE_ENV_ENTRY;
  return isFile || path.startsWith(PROJECT_PREFIX) || path.startsWith(EXTRA_PREFIX);
}

/** `flush` brings it to the disk before the stream closes. */
async function writeThrough(
  path: string,
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  mode: number,
  signal: AbortSignal,
): Promise<void> {
  await pipeline(content, createWriteStream(path, { mode, flush: true, flags: "wx" }), { signal });
}

/** Removes what installs that were cut off have left. Only while the stack is locked. */
export async function removePartialReleases(releases: string): Promise<void> {
  const names = await readdir(releases).catch(() => []);
  for (const name of names.filter(isPartialName)) {
    await rm(join(releases, name), { recursive: true, force: true });
  }
}
