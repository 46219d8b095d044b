/** Bytes that are asked for, out of pieces of any size that are good until the next one is asked for: so is what is given out. */
export class ArchiveSource {
  readonly #pieces: AsyncIterator<Uint8Array>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(pieces: AsyncIterable<Uint8Array>) {
    this.#pieces = pieces[Symbol.asyncIterator]();
  }

  /** The next bytes, at most so many; none at the end. */
  async take(maxBytes: number): Promise<Buffer> {
    while (this.#rest.length === 0) {
      const next = await this.#pieces.next();
      if (next.done) return this.#rest;
      const { buffer, byteOffset, byteLength } = next.value;
      this.#rest = Buffer.from(buffer, byteOffset, byteLength);
    }
    const taken = this.#rest.subarray(0, maxBytes);
    this.#rest = this.#rest.subarray(taken.length);
    return taken;
  }

  /** Exactly so many bytes, in memory of their own; fewer at the end. */
  async copy(sizeBytes: number): Promise<Buffer> {
    const copy = Buffer.alloc(sizeBytes);
    let filled = 0;
    while (filled < sizeBytes) {
      const piece = await this.take(sizeBytes - filled);
      if (piece.length === 0) break;
      copy.set(piece, filled);
      filled += piece.length;
    }
    return copy.subarray(0, filled);
  }

  /** Stops whoever gives the pieces, when the one that was asked for has come. That may be long: it is not waited for. */
  close(): void {
    this.#pieces.return?.().catch(() => undefined);
  }
}
