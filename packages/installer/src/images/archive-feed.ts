import type { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type DockerContext, loadImages } from "@drybag/docker";
import { type BundledLayer, blobEntry, type ReadEntry, seeThroughLayer, unpackLayer } from "@drybag/format";
import { pack } from "tar-stream";
import type { ArchiveEntry } from "./archive-listing.ts";
import type { ArchivePlan, EntryFate } from "./plan-load.ts";

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

  /** Takes a layer of the bundle as planned; returns when all of it is with the engine and was seen to be what it should be. */
  async take({ body }: ReadEntry, { kind, layer }: Exclude<EntryFate, { kind: "metadata" }>): Promise<void> {
    if (kind === "decompress") return this.#decompress(body, layer);
    const entry = this.#entry(blobEntry(layer.digest), layer.sizeBytes);
    await pipeline(seeThroughLayer(layer, body, this.#signal), entry);
  }

  /** What is left of an archive when it has its layers: last what names its images, so that one that is cut off is none to the engine. */
  async addMetadata(metadata: readonly ArchiveEntry[]): Promise<void> {
    const { images, listing } = this.#plan;
    for (const { path, content } of [...metadata, ...listing(images, metadata)])
      await pipeline([content], this.#entry(path, content.length));
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
