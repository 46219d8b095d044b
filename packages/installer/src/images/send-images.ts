import type { Writable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { type DockerContext, loadImages } from "@drybag/docker";
import { DrybagError, isDrybagError } from "@drybag/errors";
import { type BundledLayer, blobEntry, OCI_INDEX_ENTRY, type ReadEntry, unpackLayer } from "@drybag/format";
import { type Pack, pack } from "tar-stream";
import type { BundlePass } from "../bundle-pass.ts";
import type { LoadPlan } from "./plan-load.ts";
import { selectFromArchiveManifest, selectFromIndex } from "./select-listing.ts";

export interface SendOptions {
  signal: AbortSignal;
  /** All of the archive is with the engine: it unpacks now, for a time nobody can tell. */
  onSent?: () => void;
}

/**
 * Feeds the planned images to `docker load` while the rest of the bundle is read and verified. The engine gets the end of the archive
 * only when all of the bundle is verified; on any failure the client is killed before, so that nothing is registered.
 * Throws `digest-mismatch` and the reader's other errors, `load-failed`, or the signal's reason.
 */
export async function sendImages(
  docker: DockerContext,
  pass: BundlePass,
  plan: LoadPlan,
  { signal, onSent }: SendOptions,
): Promise<void> {
  signal.throwIfAborted();
  const load = loadImages(docker);
  const archive = pack();
  const sent = pipeline(archive, load.input);
  sent.catch(() => undefined);
  signal.addEventListener("abort", load.abort, { once: true });
  try {
    await writeArchive(archive, pass, plan, signal);
    archive.finalize();
    await sent;
    onSent?.();
    await load.done;
  } catch (error) {
    load.abort();
    archive.destroy();
    const outcome = await load.done.catch((reason: unknown) => reason);
    signal.throwIfAborted();
    throw isDrybagError(error) ? error : isDrybagError(outcome) ? outcome : endedEarly(error);
  } finally {
    signal.removeEventListener("abort", load.abort);
  }
}

async function writeArchive(
  archive: Pack,
  pass: BundlePass,
  plan: LoadPlan,
  signal: AbortSignal,
): Promise<void> {
  while (pass.nextPath() !== undefined) {
    const item = await pass.next();
    const fate = plan.entries.get(item.entry.path);
    switch (fate?.kind) {
      case "select":
        await writeListing(archive, item, plan);
        break;
      case "as it is":
        await writeStream(archive, item);
        break;
      case "decompress":
        await writeDecompressed(archive, item, fate.layer, signal);
        break;
      default:
        // The engine has it already, or has no use for it; the reader verifies it nevertheless.
        item.body.destroy();
    }
  }
  await pass.finish();
}

async function writeListing(
  archive: Pack,
  { entry, body }: ReadEntry,
  { images, entries }: LoadPlan,
): Promise<void> {
  const content = await buffer(body);
  if (entry.path === OCI_INDEX_ENTRY) {
    return writeBuffer(archive, entry.path, selectFromIndex(content, images));
  }
  const isDecompressed = !entries.has(OCI_INDEX_ENTRY);
  await writeBuffer(
    archive,
    entry.path,
    selectFromArchiveManifest(content, images, isDecompressed ? blobEntry : undefined),
  );
}

/** Fixed, so that the same bundle gives the engine the same bytes. */
const MTIME = new Date(0);

async function writeStream(archive: Pack, { entry, body }: ReadEntry): Promise<void> {
  const size = entry.type === "file" ? entry.sizeBytes : 0;
  await pipeline(body, archive.entry({ name: entry.path, size, mode: 0o644, mtime: MTIME }));
}

/** Under the digest of what it is now. The engine compares that digest itself before it registers the layer. */
async function writeDecompressed(
  archive: Pack,
  { body }: ReadEntry,
  layer: BundledLayer,
  signal: AbortSignal,
): Promise<void> {
  const entry = {
    name: blobEntry(layer.diffId),
    size: layer.uncompressedSizeBytes,
    mode: 0o644,
    mtime: MTIME,
  };
  // tar-stream's sink is a stream in all but its type.
  const sink = archive.entry(entry) as unknown as Writable;
  await unpackLayer(layer, body, sink, signal, { digest: "left to target" });
}

async function writeBuffer(archive: Pack, name: string, content: Buffer): Promise<void> {
  const sink = archive.entry({ name, size: content.length, mode: 0o644, mtime: MTIME });
  await pipeline([content], sink);
}

function endedEarly(cause: unknown): DrybagError {
  return new DrybagError("load-failed", "The engine ended the load before it had all images.", { cause });
}
