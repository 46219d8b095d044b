import { homedir } from "node:os";
import { DrybagError } from "@drybag/errors";
import { formatBytes, type RunContext } from "@drybag/terminal";
import { cacheDirectory } from "../options.ts";
import { parseByteSize } from "../part-size.ts";
import { pruneCache, readCacheFacts } from "./prune-cache.ts";

/** `drybag cache info` */
export async function cacheInfoCommand(context: RunContext): Promise<void> {
  const facts = await readCacheFacts(directoryOf(context));
  if (context.json) {
    context.stdout.write(`${JSON.stringify(facts)}\n`);
    return;
  }
  const oldest = facts.oldestUse ? `, the oldest used ${facts.oldestUse.toISOString().slice(0, 10)}` : "";
  context.stdout.write(
    `${facts.directory}\n  ${formatBytes(facts.sizeBytes)} in ${facts.blobs} blobs${oldest}; ${facts.layers} layers, ${facts.images} images\n`,
  );
}

export interface CachePruneFlags {
  olderThan?: string;
  maxSize?: string;
}

/** `drybag cache prune` */
export async function cachePruneCommand(context: RunContext, flags: CachePruneFlags): Promise<void> {
  if (flags.olderThan === undefined && flags.maxSize === undefined) {
    throw new DrybagError("usage", "Say what may go.", {
      hint: "With --older-than 30d, with --max-size 20G, or with both. --max-size 0 empties the cache.",
    });
  }
  const pruned = await pruneCache(directoryOf(context), {
    ...(flags.olderThan !== undefined && { usedSince: new Date(Date.now() - parseAge(flags.olderThan)) }),
    ...(flags.maxSize !== undefined && { maxSizeBytes: parseSize(flags.maxSize) }),
  });
  if (context.json) context.stdout.write(`${JSON.stringify(pruned)}\n`);
  else {
    context.stdout.write(
      `Freed ${formatBytes(pruned.freedBytes)} (${pruned.blobs} blobs); ${formatBytes(pruned.leftBytes)} left.\n`,
    );
  }
}

function directoryOf({ env }: RunContext): string {
  return cacheDirectory({ env, home: homedir() });
}

const UNITS_MS: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

function parseAge(text: string): number {
  const [, number, unit] = /^(\d{1,6})([mhdw])$/.exec(text) ?? [];
  if (number !== undefined && unit !== undefined) return Number(number) * (UNITS_MS[unit] ?? 0);
  throw new DrybagError("usage", `'${text}' is not an age.`, { hint: "Write it as 30d, 12h or 2w." });
}

function parseSize(text: string): number {
  const sizeBytes = parseByteSize(text);
  if (sizeBytes !== undefined) return sizeBytes;
  throw new DrybagError("usage", `'${text}' is not a size.`, { hint: "Write it as 500M or 20G, or 0." });
}
