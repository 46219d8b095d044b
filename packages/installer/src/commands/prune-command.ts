import { resolve } from "node:path";
import type { RunContext } from "@drybag/terminal";
import { InvalidArgumentError } from "commander";
import { siteDocker } from "../docker-environment.ts";
import { type Pruned, prune } from "../prune/prune.ts";
import { theInstalledStack } from "../site/installed-stacks.ts";
import { optionalStackName, type SiteFlags } from "./site-flags.ts";

export interface PruneFlags extends SiteFlags {
  keep: number;
}

/** Removes old releases and the images that only they need. */
export async function pruneCommand(context: RunContext, flags: PruneFlags, name?: string): Promise<void> {
  const dir = resolve(context.cwd, flags.dir);
  const stack = await theInstalledStack(dir, optionalStackName(name));
  const docker = siteDocker(context.env, resolve(context.cwd, flags.dir));
  const pruned = await context.wait(`Removing old releases of ${stack.name}`, () =>
    prune(stack, { dir, keep: flags.keep }, { docker, signal: context.signal }),
  );
  context.stdout.write(context.json ? `${JSON.stringify(pruned)}\n` : describe(pruned));
}

function describe({ name, releases, images, imagesInUse }: Pruned): string {
  if (releases.length === 0) return `${name} has no release that could go.\n`;
  const lines = [`Removed of ${name}: ${releases.join(", ")}; images: ${images.join(", ") || "none"}.`];
  if (imagesInUse.length > 0) lines.push(`Still used by containers, and kept: ${imagesInUse.join(", ")}.`);
  return `${lines.join("\n")}\n`;
}

/** For commander. */
export function parseKeep(text: string): number {
  if (/^\d{1,4}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It is a number of releases beside the one that runs; 0 keeps none.");
}
