import { type OpenedBundle, type ReadBundleOptions, type ReadEntry, readBundle } from "@drybag/format";

/**
 * The one pass over the stick, taken in steps: it waits wherever the install has something else to do first. A body that nobody
 * has read is verified all the same when the next entry is asked for.
 */
export class BundlePass implements AsyncDisposable {
  readonly bundle: OpenedBundle;
  readonly #options: ReadBundleOptions;
  readonly #items: AsyncGenerator<ReadEntry, void>;
  #position = 0;

  constructor(bundle: OpenedBundle, options: ReadBundleOptions) {
    this.bundle = bundle;
    this.#options = options;
    this.#items = readBundle(bundle, options);
  }

  /** Path of the entry that `next` will give; undefined behind the last one. */
  nextPath(): string | undefined {
    return this.bundle.manifest.entries[this.#position]?.path;
  }

  async next(): Promise<ReadEntry> {
    const result = await this.#items.next();
    if (result.done) throw new Error("the bundle's pass ended before its manifest's entries did");
    this.#position += 1;
    return result.value;
  }

  /** Behind the last entry: sees to it that the archive and all parts end as they should. */
  async finish(): Promise<void> {
    const { done } = await this.#items.next();
    if (!done) throw new Error("the bundle's pass goes on behind its manifest's entries");
  }

  /** Reads what is left and throws it away: only whether it is as it was packed is of interest. */
  async verifyRest(): Promise<void> {
    while (this.nextPath() !== undefined) {
      const { body } = await this.next();
      body.destroy();
    }
    await this.finish();
  }

  /** Another pass, from the start. */
  again(): BundlePass {
    return new BundlePass(this.bundle, this.#options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#items.return();
  }
}
