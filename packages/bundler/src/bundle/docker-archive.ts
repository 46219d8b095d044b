import type { Readable, Writable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import {
  BLOB_PREFIX,
  type BundledImage,
  type BundledLayer,
  blobEntry,
  type OpenedBundle,
  readBundle,
  unpackLayer,
} from "@drybag/format";
import { type Pack, pack } from "tar-stream";

export interface Run {
  signal: AbortSignal;
  onBytes?(bytes: number): void;
  /** Of which images; all of the bundle when undefined. */
  images?: readonly BundledImage[];
}

/**
 * A Docker image archive with plain layers, as `docker save` writes it: engines before 23, Podman and scanners that know no zstd read it.
 * One pass: sizes of plain layers stand in the manifest, and what does not have that size and digest is refused.
 */
export async function exportArchive(
  bundle: OpenedBundle,
  target: Writable,
  run: Run,
  { end }: { end: boolean },
): Promise<void> {
  const tar = pack();
  const written = pipeline(tar, target, { signal: run.signal, end });
  written.catch(() => undefined);
  try {
    await Promise.race([fillArchive(bundle, tar, run), written]);
    tar.finalize();
    await written;
  } catch (error) {
    tar.destroy();
    run.signal.throwIfAborted();
    throw error;
  }
}

async function fillArchive(bundle: OpenedBundle, tar: Pack, run: Run): Promise<void> {
  const { manifest, mtimeSeconds } = bundle;
  const mtime = new Date(mtimeSeconds * 1000);
  const images = run.images ?? manifest.images;
  const needed = new Set(images.flatMap((image) => image.diffIds));
  const layers = new Map(
    manifest.layers
      .filter((layer) => needed.has(layer.diffId))
      .map((layer) => [blobEntry(layer.digest), layer]),
  );
  const configs = new Set(images.map((image) => blobEntry(image.configDigest)));
  const add = (name: string, content: Buffer) =>
    new Promise<void>((resolve, reject) => {
      tar.entry({ name, mtime, mode: 0o644 }, content, (error) => (error ? reject(error) : resolve()));
    });
  for await (const { entry, body } of readBundle(bundle, {
    signal: run.signal,
    ...(run.onBytes && { onBytes: run.onBytes }),
  })) {
    const layer = layers.get(entry.path);
    if (layer !== undefined) await addLayer(tar, layer, body, mtime, run.signal);
    else if (configs.has(entry.path))
      await add(`${entry.path.slice(BLOB_PREFIX.length)}.json`, await buffer(body));
    else body.destroy();
  }
  await add("manifest.json", Buffer.from(JSON.stringify(archiveIndex(images))));
}

function archiveIndex(bundled: readonly BundledImage[]): object[] {
  const images = new Map<string, { Config: string; RepoTags: string[]; Layers: string[] }>();
  for (const image of bundled) {
    const there = images.get(image.configDigest);
    if (there) there.RepoTags.push(image.tag);
    else {
      images.set(image.configDigest, {
        Config: `${hexOf(image.configDigest)}.json`,
        RepoTags: [image.tag],
        Layers: image.diffIds.map((diffId) => `${hexOf(diffId)}/layer.tar`),
      });
    }
  }
  return [...images.values()];
}

async function addLayer(
  tar: Pack,
  layer: BundledLayer,
  body: Readable,
  mtime: Date,
  signal: AbortSignal,
): Promise<void> {
  const name = `${hexOf(layer.diffId)}/layer.tar`;
  const sink = tar.entry({ name, size: layer.uncompressedSizeBytes, mtime, mode: 0o644 });
  // streamx has the whole of it, its types do not say so.
  await unpackLayer(layer, body, sink as unknown as Writable, signal);
}

function hexOf(digest: string): string {
  return digest.replace(/^sha256:/, "");
}
