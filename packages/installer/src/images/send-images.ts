import { buffer } from "node:stream/consumers";
import type { DockerContext } from "@drybag/docker";
import { DrybagError, isDrybagError } from "@drybag/errors";
import type { ReadEntry } from "@drybag/format";
import type { BundlePass } from "../bundle-pass.ts";
import { ArchiveFeed } from "./archive-feed.ts";
import type { ArchiveEntry } from "./archive-listing.ts";
import { ARCHIVES_AT_ONCE, type ArchivePlan, type EntryFate, type LoadPlan } from "./plan-load.ts";

export interface SendOptions {
  signal: AbortSignal;
  /** All that was planned is with the engine: it unpacks now, for a time nobody can tell. */
  onSent?: () => void;
}

/**
 * Feeds the planned images to `docker load`, without names, while the rest of the bundle is read and verified. An archive gets its end when
 * all that it holds is verified and the engine has unpacked what it stands on. On any failure the clients that lack something are
 * killed, and the engine registers nothing of what they had; the others are waited for, unless the signal is what ended it.
 * Throws `digest-mismatch` and the reader's other errors, `load-failed`, or the signal's reason.
 */
export async function sendImages(
  docker: DockerContext,
  pass: BundlePass,
  plan: LoadPlan,
  { signal, onSent }: SendOptions,
): Promise<void> {
  signal.throwIfAborted();
  const sender = new Sender(docker, plan, signal);
  try {
    while (pass.nextPath() !== undefined) await sender.take(await pass.next());
    await pass.finish();
    await sender.allSent();
    onSent?.();
    await sender.allUnpacked();
  } catch (error) {
    const outcome = await sender.abort();
    signal.throwIfAborted();
    throw isDrybagError(error) ? error : isDrybagError(outcome) ? outcome : endedEarly(error);
  }
}

/** One archive, and how far it has come. */
class Sending {
  readonly plan: ArchivePlan;
  /** Entries of the bundle that it still lacks. */
  readonly lacks: Set<string>;
  readonly metadata: ArchiveEntry[] = [];
  feed: ArchiveFeed | undefined;
  state: "lacks entries" | "is whole" | "is sent" | "is unpacked" = "lacks entries";
  /** The engine has all of it. */
  readonly sent = Promise.withResolvers<void>();
  readonly unpacked = Promise.withResolvers<void>();

  constructor(plan: ArchivePlan) {
    this.plan = plan;
    this.lacks = new Set(plan.entries.keys());
    // Whoever waits for them does so later, or never after another failure.
    for (const { promise } of [this.sent, this.unpacked]) promise.catch(() => undefined);
  }
}

class Sender {
  readonly #docker: DockerContext;
  readonly #signal: AbortSignal;
  readonly #sendings: Sending[];
  #failure: { error: unknown } | undefined;

  constructor(docker: DockerContext, { archives }: LoadPlan, signal: AbortSignal) {
    this.#docker = docker;
    this.#signal = signal;
    this.#sendings = archives.map((plan) => new Sending(plan));
  }

  /** Gives an entry to the archives that lack it; the reader verifies those that nobody lacks. */
  async take(item: ReadEntry): Promise<void> {
    const { path } = item.entry;
    const takers = this.#sendings.filter(({ lacks }) => lacks.has(path));
    if (takers.length === 0) item.body.destroy();
    for (const sending of takers) {
      const fate = sending.plan.entries.get(path) as EntryFate;
      if (fate.kind === "metadata") sending.metadata.push({ path, content: await buffer(item.body) });
      else await (await this.#feedOf(sending)).take(item, fate);
      sending.lacks.delete(path);
      if (sending.lacks.size === 0) this.#complete(sending);
    }
    if (this.#failure) throw this.#failure.error;
  }

  /** All of the bundle is verified. Resolves when all archives are with the engine. */
  async allSent(): Promise<void> {
    await Promise.all(this.#sendings.map(({ sent }) => sent.promise));
  }

  async allUnpacked(): Promise<void> {
    await Promise.all(this.#sendings.map(({ unpacked }) => unpacked.promise));
  }

  /** Nothing is on its way any more when this resolves. Gives the first failure that a load had, or what a client said that was killed. */
  async abort(): Promise<unknown> {
    const outcomes = this.#sendings.map(({ state, feed, unpacked }) =>
      state === "is sent" && !this.#signal.aborted
        ? unpacked.promise.catch((reason: unknown) => reason)
        : feed?.abort(),
    );
    const said = await Promise.all(outcomes);
    return this.#failure?.error ?? said.find((outcome) => outcome !== undefined);
  }

  /** Its load, begun when the engine has not too many already. */
  async #feedOf(sending: Sending): Promise<ArchiveFeed> {
    if (sending.feed) return sending.feed;
    const others = () => this.#sendings.filter(({ state }) => state === "is whole" || state === "is sent");
    while (others().length >= ARCHIVES_AT_ONCE) {
      await Promise.race(others().map(({ unpacked }) => unpacked.promise));
    }
    sending.feed = new ArchiveFeed(this.#docker, sending.plan, this.#signal);
    return sending.feed;
  }

  #complete(sending: Sending): void {
    sending.state = "is whole";
    this.#end(sending).catch((error) => this.#fail(sending, error));
  }

  /** Gives the engine what is left of an archive, and its end when it has the layers below; and waits until it has unpacked all. */
  async #end(sending: Sending): Promise<void> {
    const feed = await this.#feedOf(sending);
    await feed.addMetadata(sending.metadata);
    await Promise.all(sending.plan.after.map((index) => this.#sendings[index]?.unpacked.promise));
    // From here on, whatever becomes of its client, the engine may have all of it.
    sending.state = "is sent";
    await feed.finish();
    sending.sent.resolve();
    await feed.unpacked();
    sending.state = "is unpacked";
    sending.unpacked.resolve();
  }

  /** Whoever waits for something learns of it at once, be it in the middle of a layer. */
  #fail(failed: Sending, error: unknown): void {
    this.#failure ??= { error };
    failed.sent.reject(error);
    failed.unpacked.reject(error);
    for (const { state, feed } of this.#sendings) if (state === "lacks entries") void feed?.abort();
  }
}

function endedEarly(cause: unknown): DrybagError {
  return new DrybagError("load-failed", "The engine ended the load before it had all images.", { cause });
}
