import { once } from "node:events";
import { Writable } from "node:stream";
import { stripVTControlCharacters } from "node:util";

/** A stream that keeps what it is given; a terminal of 80 columns and 24 rows if asked. */
export class FakeStream extends Writable {
  text = "";
  readonly isTTY: boolean;
  columns = 80;
  rows = 24;

  constructor(isTTY = false) {
    super({ decodeStrings: false });
    this.isTTY = isTTY;
  }

  override _write(chunk: string | Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk;
    done();
    this.emit("written");
  }

  get lines(): string[] {
    return this.text.split("\n").slice(0, -1);
  }

  /** Resolves once what was written, without colours and cursor movements, has this in it so many times. */
  async until(pattern: RegExp, times = 1): Promise<void> {
    const global = new RegExp(pattern, "g");
    const isThere = () => (stripVTControlCharacters(this.text).match(global)?.length ?? 0) >= times;
    while (!isThere()) await once(this, "written");
  }

  asStream(): NodeJS.WriteStream {
    return this as unknown as NodeJS.WriteStream;
  }
}
