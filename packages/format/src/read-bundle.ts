import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { DrybagError } from "@drybag/errors";
import { entryItem, selfDescribedItem } from "./archive-items.ts";
import { copyAgainHint, listParts, type ReportDamage, refuseDamage } from "./damage.ts";
import { explainHeader, placeOf } from "./explain-header.ts";
import { type LayerProblem, LayerWatch } from "./layer-watch.ts";
import type { BundledLayer, BundleEntry } from "./manifest.ts";
import { blobEntry, MANIFEST_ENTRY, SIGNATURE_ENTRY } from "./names.ts";
import type { OpenedBundle } from "./open-bundle.ts";
import { PartReader } from "./part-reader.ts";
import { END_OF_ARCHIVE_BYTES, encodeHeader, paddingBytes, type TarItem } from "./tar-header.ts";

export interface ReadBundleOptions {
  signal?: AbortSignal;
  /** Told how many more bytes were read. */
  onBytes?(bytes: number): void;
  /** Read what the drive has, not what the kernel remembers of it. */
  bypassCache?: boolean;
}

export interface ReadEntry {
  entry: BundleEntry;
  /** Empty for a folder. Fails with a DrybagError if the bundle is damaged; its last bytes come only when it is not. */
  body: Readable;
}

/**
 * Reads a bundle in one pass over its parts and gives its entries in order, without the manifest and its signature. Everything
 * but the bodies is compared with the bytes that follow from the manifest; bodies with their size and sha256; parts with
 * SHA256SUMS where that is there. Any difference is refused.
 *
 * A body holds back its last bytes until the whole of it has been verified, so that whoever feeds an engine with it can stop
 * in time. The last entry's are held back until the archive has ended as it must and every part has been verified.
 *
 * Read or destroy each body before asking for the next entry: what is left of it is verified and thrown away then. Leaving the
 * loop early closes the files. Throws layer-bomb if a layer announces more than the manifest or is packed with something else,
 * layer-refused if it announces less, digest-mismatch, an entry-… code for a header that is another one than it must be, bundle-truncated, bundle-part-missing,
 * bundle-unreadable, checksums-invalid, or the signal's reason.
 */
export function readBundle(bundle: OpenedBundle, options: ReadBundleOptions = {}): AsyncGenerator<ReadEntry> {
  return scanBundle(bundle, { ...options, report: refuseDamage });
}

export interface ScanOptions extends ReadBundleOptions {
  report: ReportDamage;
  /** Told of each part that was compared with SHA256SUMS, whatever came out. */
  onCompared?(name: string): void;
  /** Bodies are not looked at: what comes out of them may be anything. Takes less memory and time. */
  onlyVerify?: boolean;
  /**
   * Bodies are as good as the parts that they lie in, which SHA256SUMS lists: for whoever hashed the former while writing the latter.
   * Everything else is compared all the same.
   */
  trustsParts?: boolean;
}

/** Like readBundle, with damage reported. If `report` does not throw, reading goes on, and damaged bodies come out whole. */
export async function* scanBundle(bundle: OpenedBundle, options: ScanOptions): AsyncGenerator<ReadEntry> {
  const { entries } = bundle.manifest;
  const archive = new ArchiveReader(bundle, options);
  try {
    await archive.expectSame(MANIFEST_ENTRY, bundle.manifestBytes);
    if (bundle.signature) await archive.expectSame(SIGNATURE_ENTRY, bundle.signature);
    for (const [index, entry] of entries.entries()) {
      await archive.expectHeader(entryItem(entry), index);
      const chunks = archive.readBody(entry, index === entries.length - 1);
      if (entryItem(entry).sizeBytes === 0) await drain(chunks);
      const body = bodyOf(chunks);
      try {
        yield { entry, body };
      } finally {
        body.destroy();
      }
      await drain(chunks);
      archive.throwIfFailed();
    }
  } finally {
    await archive.close();
  }
}

/** Bytes that a body keeps until all of it is verified. */
const HELD_BACK_BYTES = 64 * 1024;

class ArchiveReader {
  readonly #source: PartReader;
  readonly #bundle: OpenedBundle;
  readonly #report: ReportDamage;
  readonly #trustsParts: boolean;
  #failure: { error: unknown } | undefined;
  #layers: Map<string, BundledLayer> | undefined;

  constructor(bundle: OpenedBundle, options: ScanOptions) {
    this.#bundle = bundle;
    this.#report = options.report;
    this.#trustsParts = (options.trustsParts ?? false) && bundle.carryFolder.checksums !== undefined;
    this.#source = new PartReader(bundle.carryFolder, options);
  }

  /** The entries that were read when the bundle was opened are still the same. */
  async expectSame(path: typeof MANIFEST_ENTRY | typeof SIGNATURE_ENTRY, content: Buffer): Promise<void> {
    const start = this.#source.position;
    const header = encodeHeader(selfDescribedItem(path, content), this.#bundle.mtimeSeconds);
    const isSameHeader = (await this.#source.exactly(header.length)).equals(header);
    const found = await this.#source.exactly(content.length);
    if (!isSameHeader || !found.equals(content)) {
      this.#damaged(path, start, `${path} is not what it was when the bundle was opened`);
    }
    await this.#expectZeros(paddingBytes(content.length), path);
  }

  /** The header of the entry at this index, byte for byte. */
  async expectHeader(item: TarItem, index: number): Promise<void> {
    const expected = encodeHeader(item, this.#bundle.mtimeSeconds);
    const start = this.#source.position;
    const found = await this.#source.exactly(expected.length);
    if (found.equals(expected)) return;
    const parts = this.#source.suspects(start, this.#source.position);
    this.#report(
      explainHeader(found, item, { parts, placeOf: placeOf(this.#bundle.manifest.entries, index) }),
    );
  }

  /** The body of an entry in pieces, the last of them only when everything up to the next entry is as it must be. */
  async *readBody(entry: BundleEntry, last: boolean): AsyncGenerator<Buffer, void> {
    try {
      const { sizeBytes } = entryItem(entry);
      const start = this.#source.position;
      const hash = this.#trustsParts ? undefined : createHash("sha256");
      const held: Buffer[] = [];
      const watch = this.#watchOf(entry);
      let problem: LayerProblem | undefined;
      let remaining = sizeBytes;
      while (remaining > 0) {
        const released = remaining - HELD_BACK_BYTES;
        const chunk = await this.#source.take(released > 0 ? released : remaining);
        remaining -= chunk.length;
        hash?.update(chunk);
        problem ??= watch?.take(chunk);
        // Nothing more of it is given out; but damage can look like a lie, and only the sha256 tells the one from the other.
        if (problem !== undefined) continue;
        if (released > 0) yield chunk;
        else held.push(chunk);
      }
      if (hash !== undefined && entry.type === "file" && hash.digest("hex") !== entry.sha256) {
        this.#damaged(entry.path, start, `${entry.path} does not have the sha256 that the manifest gives`);
      } else {
        problem ??= watch?.end();
        if (problem) this.#refuseLayer(entry.path, problem);
      }
      await this.#expectZeros(paddingBytes(sizeBytes), entry.path);
      if (last) await this.#expectEnd();
      yield* held;
    } catch (error) {
      this.#failure = { error };
      throw error;
    }
  }

  throwIfFailed(): void {
    if (this.#failure) throw this.#failure.error;
  }

  async close(): Promise<void> {
    await this.#source.close();
  }

  #watchOf({ path }: BundleEntry): LayerWatch | undefined {
    this.#layers ??= new Map(this.#bundle.manifest.layers.map((layer) => [blobEntry(layer.digest), layer]));
    const layer = this.#layers.get(path);
    return layer && new LayerWatch(layer);
  }

  #refuseLayer(entry: string, { code, what }: LayerProblem): void {
    const error = new DrybagError(code, `${entry} ${what}.`, {
      hint: "Drybag did not write this bundle as it is: do not use it.",
    });
    this.#report({ parts: [], error, entry });
  }

  async #expectZeros(sizeBytes: number, path: string): Promise<void> {
    const start = this.#source.position;
    const found = await this.#source.exactly(sizeBytes);
    if (found.some((byte) => byte !== 0))
      this.#damaged(path, start, `there is more than zeros behind ${path}`);
  }

  async #expectEnd(): Promise<void> {
    const start = this.#source.position;
    const found = await this.#source.exactly(END_OF_ARCHIVE_BYTES);
    if (found.some((byte) => byte !== 0))
      this.#damaged(undefined, start, "the end of the archive is not where it must be");
    if (await this.#source.atEnd()) return;
    // Parts that grew after they were measured.
    this.#damaged(undefined, start, "the archive goes on after its end");
  }

  #damaged(entry: string | undefined, start: number, what: string): void {
    const parts = this.#source.suspects(start, this.#source.position);
    const where = parts.length === 0 ? "The bundle" : listParts(parts);
    const error = new DrybagError("digest-mismatch", `${where} is damaged: ${what}.`, {
      hint: copyAgainHint(parts),
    });
    this.#report({ parts, error, ...(entry !== undefined && { entry }) });
  }
}

/** A stream of the chunks that never ends their generator: what the stream did not read is left to be verified. */
function bodyOf(chunks: AsyncGenerator<Buffer, void>): Readable {
  return new Readable({
    read() {
      chunks.next().then(
        ({ value }) => this.push(value ?? null),
        (error) => this.destroy(error),
      );
    },
  });
}

async function drain(chunks: AsyncGenerator<Buffer, void>): Promise<void> {
  while (!(await chunks.next()).done);
}
