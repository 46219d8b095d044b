import { createHash } from "node:crypto";
import { Worker } from "node:worker_threads";

/** The sha256 of one part after the other. */
export interface PartHash {
  /** The bytes must not change until it resolves. With a thread, their memory must be shared: see sharedMemory. */
  update(bytes: Uint8Array): Promise<unknown>;
  /** In hex, of all since the one before. */
  digest(): Promise<string>;
  close(): Promise<void>;
}

/** Below this, starting a thread takes longer than it saves. */
const WORTH_A_THREAD_BYTES = 64 * 1024 ** 2;

/** On a thread of its own where there is much to hash: blobs are hashed meanwhile on the main one. */
export function partHash(sizeBytes: number): PartHash {
  return sizeBytes < WORTH_A_THREAD_BYTES ? new HashHere() : new HashThread();
}

/** Memory that threads see too. */
export function sharedMemory(sizeBytes: number): Buffer {
  return Buffer.from(new SharedArrayBuffer(sizeBytes));
}

class HashHere implements PartHash {
  #hash = createHash("sha256");

  async update(bytes: Uint8Array): Promise<void> {
    this.#hash.update(bytes);
  }

  async digest(): Promise<string> {
    const digest = this.#hash.digest("hex");
    this.#hash = createHash("sha256");
    return digest;
  }

  async close(): Promise<void> {}
}

/** As text, since each of the programs is a single file. Answers each message in order. */
const THREAD = `
const { createHash } = require("node:crypto");
const { parentPort } = require("node:worker_threads");
let hash = createHash("sha256");
parentPort.on("message", (bytes) => {
  if (bytes !== null) {
    hash.update(bytes);
    parentPort.postMessage(null);
    return;
  }
  parentPort.postMessage(hash.digest("hex"));
  hash = createHash("sha256");
});`;

class HashThread implements PartHash {
  readonly #worker = new Worker(THREAD, { eval: true, resourceLimits: { maxOldGenerationSizeMb: 16 } });
  readonly #waiting: PromiseWithResolvers<string | null>[] = [];
  #ended: Error | undefined;

  constructor() {
    this.#worker.on("message", (answer: string | null) => this.#waiting.shift()?.resolve(answer));
    this.#worker.on("error", (error) => this.#fail(error));
    this.#worker.on("exit", () => this.#fail(new Error("the hashing thread has ended")));
  }

  update(bytes: Uint8Array): Promise<unknown> {
    return this.#ask(bytes);
  }

  async digest(): Promise<string> {
    return (await this.#ask(null)) ?? "";
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #ask(message: Uint8Array | null): Promise<string | null> {
    const answer = Promise.withResolvers<string | null>();
    // It may be awaited much later, or never after another failure.
    answer.promise.catch(() => undefined);
    this.#waiting.push(answer);
    if (this.#ended) this.#fail(this.#ended);
    this.#worker.postMessage(message);
    return answer.promise;
  }

  #fail(error: Error): void {
    this.#ended = error;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}
