import { Writable } from "node:stream";

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
  }

  get lines(): string[] {
    return this.text.split("\n").slice(0, -1);
  }

  asStream(): NodeJS.WriteStream {
    return this as unknown as NodeJS.WriteStream;
  }
}
