import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** How much may gather before it is collected. */
const MOST_BYTES = 4 * 1024 ** 2;

/**
 * Has the buffers collected that a stream of zlib makes anew for what it gives out. V8 counts them little, as they lie outside of its
 * heap: it lets 50 MiB of them gather, all of which the whole program would have to have room for.
 */
export class Garbage {
  static readonly #collect = findCollector();
  #bytes = 0;

  /** So many bytes have been used for the last time. */
  add(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes < MOST_BYTES) return;
    this.#bytes = 0;
    Garbage.#collect();
  }
}

/** Of the young objects, which takes a millisecond. */
function findCollector(): () => void {
  setFlagsFromString("--expose-gc");
  const collect: NodeJS.GCFunction | undefined = runInNewContext("gc");
  return () => collect?.({ type: "minor", execution: "sync" });
}
