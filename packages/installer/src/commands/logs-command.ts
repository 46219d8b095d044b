import { resolve } from "node:path";
import { composeLogs } from "@drybag/docker";
import { DrybagError } from "@drybag/errors";
import { nearestName, type RunContext } from "@drybag/terminal";
import { InvalidArgumentError } from "commander";
import { siteDocker } from "../docker-environment.ts";
import { releaseFlags } from "../release/release-flags.ts";
import { theInstalledStack } from "../site/installed-stacks.ts";
import { optionalStackName, type SiteFlags } from "./site-flags.ts";

export interface LogsFlags extends SiteFlags {
  service?: string[];
  tail: number | "all";
  follow?: boolean;
}

/** What the services write, as Compose shows it. */
export async function logsCommand(context: RunContext, flags: LogsFlags, name?: string): Promise<void> {
  const { name: projectName, current } = await theInstalledStack(
    resolve(context.cwd, flags.dir),
    optionalStackName(name),
  );
  const { service: services = [] } = flags;
  refuseUnknownService(
    projectName,
    services,
    current.manifest.services.map((each) => each.name),
  );
  const docker = siteDocker(context.env, resolve(context.cwd, flags.dir));
  await composeLogs(docker, releaseFlags(current.manifest, current.folder, projectName), context.stdout, {
    services,
    tail: flags.tail === "all" ? undefined : flags.tail,
    follow: flags.follow === true,
    signal: context.signal,
  });
}

/** Compose shows nothing for a service that it does not know, and is content. Throws `service-not-found`. */
export function refuseUnknownService(
  stack: string,
  wanted: readonly string[],
  services: readonly string[],
): void {
  const unknown = wanted.find((name) => !services.includes(name));
  if (unknown === undefined) return;
  const nearest = nearestName(unknown, services);
  throw new DrybagError("service-not-found", `${stack} has no service ${unknown}.`, {
    hint: nearest === undefined ? `It has: ${services.join(", ")}.` : `Did you mean ${nearest}?`,
  });
}

/** For commander. */
export function parseTail(text: string): number | "all" {
  if (text === "all") return "all";
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It is a number of lines, or 'all'.");
}
