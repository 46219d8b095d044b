import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { type DockerContext, loadImages } from "@drybag/docker";
import { DrybagError, isDrybagError } from "@drybag/errors";
import { DOCKER_ARCHIVE_MANIFEST_ENTRY, OCI_INDEX_ENTRY, type ReadEntry } from "@drybag/format";
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
    await writeArchive(archive, pass, plan);
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

async function writeArchive(archive: Pack, pass: BundlePass, plan: LoadPlan): Promise<void> {
  while (pass.nextPath() !== undefined) {
    const item = await pass.next();
    const { path } = item.entry;
    if (path === OCI_INDEX_ENTRY) {
      await writeBuffer(archive, path, selectFromIndex(await buffer(item.body), plan.images));
    } else if (path === DOCKER_ARCHIVE_MANIFEST_ENTRY) {
      await writeBuffer(archive, path, selectFromArchiveManifest(await buffer(item.body), plan.images));
    } else if (plan.entries.has(path)) {
      await writeStream(archive, item);
    } else {
      // The engine has it already; the reader verifies it nevertheless.
      item.body.destroy();
    }
  }
  await pass.finish();
}

/** Fixed, so that the same bundle gives the engine the same bytes. */
const MTIME = new Date(0);

async function writeStream(archive: Pack, { entry, body }: ReadEntry): Promise<void> {
  const size = entry.type === "file" ? entry.sizeBytes : 0;
  await pipeline(body, archive.entry({ name: entry.path, size, mode: 0o644, mtime: MTIME }));
}

async function writeBuffer(archive: Pack, name: string, content: Buffer): Promise<void> {
  const sink = archive.entry({ name, size: content.length, mode: 0o644, mtime: MTIME });
  await pipeline([content], sink);
}

function endedEarly(cause: unknown): DrybagError {
  return new DrybagError("load-failed", "The engine ended the load before it had all images.", { cause });
}
