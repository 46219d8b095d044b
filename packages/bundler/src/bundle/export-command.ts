import { createWriteStream } from "node:fs";
import { access, mkdir, rename, rm } from "node:fs/promises";
import path from "node:path";
import type { Readable, Writable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { DrybagError } from "@drybag/errors";
import {
  BLOB_PREFIX,
  type BundledLayer,
  blobEntry,
  OCI_INDEX_ENTRY,
  OCI_LAYOUT_ENTRY,
  type OpenedBundle,
  readBundle,
  unpackLayer,
} from "@drybag/format";
import type { RunContext } from "@drybag/terminal";
import { type Pack, pack } from "tar-stream";
import { openCarryFolder, tarSizeBytes } from "./open-carry-folder.ts";

export interface ExportFlags {
  dockerArchive?: string;
  oci?: string;
}

/** `drybag export`: the images, for programs that do not take the bundle's tar as it is. Everything is verified on the way. */
export async function exportCommand(context: RunContext, flags: ExportFlags, folder = "."): Promise<void> {
  const { dockerArchive, oci } = flags;
  if ((dockerArchive === undefined) === (oci === undefined)) {
    throw new DrybagError("usage", "Say in which form, and where to.", {
      hint: "--docker-archive FILE (or - for stdout), or --oci FOLDER.",
    });
  }
  const bundle = await openCarryFolder(context, folder);
  const progress = context.progress(["export"]);
  await progress.stage("export", "Export the images", async (report) => {
    let doneBytes = 0;
    const onBytes = (bytes: number) => {
      doneBytes += bytes;
      report.bytes(doneBytes, tarSizeBytes(bundle));
    };
    const run = { signal: context.signal, onBytes };
    if (oci !== undefined) await exportLayout(bundle, path.resolve(context.cwd, oci), run);
    else if (dockerArchive === "-") await exportArchive(bundle, context.stdout, run, { end: false });
    else await exportArchiveFile(bundle, path.resolve(context.cwd, dockerArchive as string), run);
  });
  await progress.close();
}

interface Run {
  signal: AbortSignal;
  onBytes(bytes: number): void;
}

/** An OCI image layout as a folder. It gets its name when all of it was verified. */
async function exportLayout(bundle: OpenedBundle, directory: string, run: Run): Promise<void> {
  const temporary = `${directory}.partial-${process.pid}`;
  try {
    await mkdir(path.join(temporary, BLOB_PREFIX), { recursive: true });
    for await (const { entry, body } of readBundle(bundle, run)) {
      const isLayout = [OCI_LAYOUT_ENTRY, OCI_INDEX_ENTRY].includes(entry.path);
      if (!isLayout && !entry.path.startsWith(BLOB_PREFIX)) body.destroy();
      else await pipeline(body, createWriteStream(path.join(temporary, entry.path)), { signal: run.signal });
    }
    await rename(temporary, directory).catch((cause) => {
      throw new DrybagError("output-exists", `${directory} exists already.`, {
        hint: "Remove it, or name another folder.",
        cause,
      });
    });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function exportArchiveFile(bundle: OpenedBundle, file: string, run: Run): Promise<void> {
  const temporary = `${file}.partial-${process.pid}`;
  const exists = await access(file).then(
    () => true,
    () => false,
  );
  if (exists)
    throw new DrybagError("output-exists", `${file} exists already.`, {
      hint: "Remove it, or name another file.",
    });
  try {
    await exportArchive(bundle, createWriteStream(temporary, { flags: "wx" }), run, { end: true });
    await rename(temporary, file);
  } finally {
    await rm(temporary, { force: true });
  }
}

/**
 * A Docker image archive with plain layers, as `docker save` writes it: engines before 23, Podman and scanners that know no zstd read it.
 * One pass: sizes of plain layers stand in the manifest, and what does not have that size and digest is refused.
 */
async function exportArchive(
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
  const layers = new Map(manifest.layers.map((layer) => [blobEntry(layer.digest), layer]));
  const configs = new Set(manifest.images.map((image) => blobEntry(image.configDigest)));
  const add = (name: string, content: Buffer) =>
    new Promise<void>((resolve, reject) => {
      tar.entry({ name, mtime, mode: 0o644 }, content, (error) => (error ? reject(error) : resolve()));
    });
  for await (const { entry, body } of readBundle(bundle, run)) {
    const layer = layers.get(entry.path);
    if (layer !== undefined) await addLayer(tar, layer, body, mtime, run.signal);
    else if (configs.has(entry.path))
      await add(`${entry.path.slice(BLOB_PREFIX.length)}.json`, await buffer(body));
    else body.destroy();
  }
  await add("manifest.json", Buffer.from(JSON.stringify(archiveIndex(bundle))));
}

function archiveIndex({ manifest }: OpenedBundle): object[] {
  const images = new Map<string, { Config: string; RepoTags: string[]; Layers: string[] }>();
  for (const image of manifest.images) {
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
