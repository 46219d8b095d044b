/**
 * Reads the data types of SSH (RFC 4251, section 5) out of bytes that are not trusted. Every read throws an Error where the bytes
 * do not hold what was asked for.
 */
export class SshReader {
  readonly #bytes: Buffer;
  #position = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  raw(sizeBytes: number): Buffer {
    const end = this.#position + sizeBytes;
    if (end > this.#bytes.length) throw new Error("ends early");
    const taken = this.#bytes.subarray(this.#position, end);
    this.#position = end;
    return taken;
  }

  byte(): number {
    return this.raw(1).readUInt8();
  }

  uint32(): number {
    return this.raw(4).readUInt32BE();
  }

  string(): Buffer {
    return this.raw(this.uint32());
  }

  /** A name of an algorithm or a namespace: printable ASCII. */
  text(): string {
    const text = this.string().toString("latin1");
    if (!/^[\x20-\x7e]*$/.test(text)) throw new Error("has a name with odd characters");
    return text;
  }

  /** A positive number, big end first, without leading zeros. */
  positiveNumber(): Buffer {
    const number = this.string();
    const [first = 0, second = 0] = number;
    if (number.length === 0 || first > 0x7f || (first === 0 && second <= 0x7f))
      throw new Error("has a number that is written oddly");
    return first === 0 ? number.subarray(1) : number;
  }

  end(): void {
    if (this.#position !== this.#bytes.length) throw new Error("goes on after its end");
  }
}

export function sshString(content: Uint8Array | string): Buffer {
  const bytes = Buffer.from(content);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** A big-endian number in exactly so many bytes; throws where it does not fit. */
export function leftPadded(number: Buffer, sizeBytes: number): Buffer {
  if (number.length > sizeBytes) throw new Error("has a number that is too large");
  return Buffer.concat([Buffer.alloc(sizeBytes - number.length), number]);
}
