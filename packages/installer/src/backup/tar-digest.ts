import { createHash } from "node:crypto";
import { Transform } from "node:stream";
import { extract } from "tar-stream";

/**
 * What a tar holds, as one digest: names, kinds, modes, owners, links, bytes, and the times of files. Those of folders are left out: the
 * engine gives folders new ones when it fills a volume from an image.
 */
export class TarDigest {
  readonly #extract = extract();
  readonly #digest = this.#read();

  constructor() {
    // Told to whoever asks for the result; a stream that failed before has an error of its own.
    this.#digest.catch(() => undefined);
  }

  /** Lets a tar through, no faster than it is read here. */
  passing(): Transform {
    const entries = this.#extract;
    return new Transform({
      transform(chunk: Buffer, _encoding, done) {
        if (entries.destroyed || entries.write(chunk)) return done(null, chunk);
        const next = () => {
          entries.off("drain", next).off("close", next);
          done(null, chunk);
        };
        entries.on("drain", next).on("close", next);
      },
      flush(done) {
        entries.end(null);
        done();
      },
      destroy(error, done) {
        if (error) entries.destroy(error);
        done(error);
      },
    });
  }

  /** Once all of it has passed. */
  result(): Promise<string> {
    return this.#digest;
  }

  async #read(): Promise<string> {
    const hash = createHash("sha256");
    for await (const entry of this.#extract) {
      const { name, type, mode, uid, gid, size, linkname, mtime, pax } = entry.header;
      const time = type === "directory" ? null : mtime?.getTime();
      hash.update(`${JSON.stringify([name, type, mode, uid, gid, size, linkname, time, attributes(pax)])}\n`);
      for await (const chunk of entry) hash.update(chunk as Buffer);
    }
    return hash.digest("hex");
  }
}

/** Such as capabilities of programs. */
function attributes(pax: unknown): [string, unknown][] {
  return Object.entries(pax ?? {}).filter(([key]) => key.startsWith("SCHILY.xattr."));
}
