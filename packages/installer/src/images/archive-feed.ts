import type { Writable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { type DockerContext, loadImages } from "@drybag/docker";
import {
  type BundledLayer,
  blobEntry,
  DOCKER_ARCHIVE_MANIFEST_ENTRY,
  OCI_INDEX_ENTRY,
  type ReadEntry,
  seeThroughLayer,
  unpackLayer,
} from "@drybag/format";
import { pack } from "tar-stream";
import type { ArchivePlan, EntryFate } from "./plan-load.ts";
import { archiveManifest, selectFromArchiveManifest, selectFromIndex } from "./select-listing.ts";

/** Fixed, so that the same bundle gives the engine the same bytes. */
const MTIME = new Date(0);

/** A `docker load` that is given its archive entry by entry. Until `finish`, the engine registers nothing. */
export class ArchiveFeed {
  readonly #plan: ArchivePlan;
  readonly #signal: AbortSignal;
  readonly #archive = pack();
  readonly #load: ReturnType<typeof loadImages>;
  readonly #sent: Promise<void>;

  constructor(docker: DockerContext, plan: ArchivePlan, signal: AbortSignal) {
    this.#plan = plan;
    this.#signal = signal;
    this.#load = loadImages(docker);
    this.#sent = pipeline(this.#archive, this.#load.input);
    this.#sent.catch(() => undefined);
    signal.addEventListener("abort", this.#load.abort, { once: true });
  }

  /** Takes an entry of the bundle as planned; returns when all of it is with the engine and was seen to be what it should be. */
  async take({ entry, body }: ReadEntry, fate: Exclude<EntryFate, { kind: "config" }>): Promise<void> {
    switch (fate.kind) {
      case "select":
        return this.add(entry.path, this.#select(entry.path, await buffer(body)));
      case "as it is":
        return pipeline(
          fate.layer === undefined ? body : seeThroughLayer(fate.layer, body, this.#signal),
          this.#entry(entry.path, entry.type === "file" ? entry.sizeBytes : 0),
        );
      case "decompress":
        return this.#decompress(body, fate.layer);
    }
  }

  async add(name: string, content: Buffer): Promise<void> {
    await pipeline([content], this.#entry(name, content.length));
  }

  /** Names what the archive holds, where that was not done by an entry of the bundle. */
  async addManifest(): Promise<void> {
    await this.add(DOCKER_ARCHIVE_MANIFEST_ENTRY, archiveManifest(this.#plan.images));
  }

  /** Gives the engine the end of the archive; all of it is there when this resolves. */
  async finish(): Promise<void> {
    this.#archive.finalize();
    await this.#sent;
  }

  /** Resolves when the engine has unpacked all. Throws `load-failed`. */
  async unpacked(): Promise<void> {
    try {
      await this.#load.done;
    } finally {
      this.#signal.removeEventListener("abort", this.#load.abort);
    }
  }

  /** Breaks the load off, and gives what its client had to say. */
  async abort(): Promise<unknown> {
    this.#load.abort();
    this.#archive.destroy();
    return this.unpacked().catch((reason: unknown) => reason);
  }

  #select(path: string, content: Buffer): Buffer {
    const select = path === OCI_INDEX_ENTRY ? selectFromIndex : selectFromArchiveManifest;
    return select(content, this.#plan.images);
  }

  /** Under the digest of what it is now. The engine compares that digest itself before it registers the layer. */
  async #decompress(body: ReadEntry["body"], layer: BundledLayer): Promise<void> {
    const target = this.#entry(blobEntry(layer.diffId), layer.uncompressedSizeBytes);
    await unpackLayer(layer, body, target, this.#signal, { digest: "left to target" });
  }

  #entry(name: string, size: number): Writable {
    // tar-stream's sink is a stream in all but its type.
    return this.#archive.entry({ name, size, mode: 0o644, mtime: MTIME }) as unknown as Writable;
  }
}
