import { resolve } from "node:path";
import { type RunContext, table } from "@drybag/terminal";
import { listReleases } from "../releases/list-releases.ts";
import { installedStacks } from "../site/installed-stacks.ts";
import { optionalStackName, type SiteFlags } from "./site-flags.ts";

/** The releases that are here, of one stack or of all. */
export async function releasesCommand(context: RunContext, flags: SiteFlags, name?: string): Promise<void> {
  const stacks = [];
  for (const stack of await installedStacks(resolve(context.cwd, flags.dir), optionalStackName(name))) {
    stacks.push({ name: stack.name, releases: await listReleases(stack) });
  }
  if (context.json) {
    context.stdout.write(`${JSON.stringify({ stacks })}\n`);
    return;
  }
  const rows = stacks.flatMap((stack) =>
    stack.releases.map(({ release, state, installedAt, signer }) => [
      stack.name,
      release,
      state,
      installedAt?.slice(0, 16).replace("T", " ") ?? "",
      signer ?? "nobody",
    ]),
  );
  const head = ["STACK", "RELEASE", "STATE", "INSTALLED (UTC)", "SIGNED BY"];
  const width = context.stdout.isTTY ? context.stdout.columns : undefined;
  context.stdout.write(`${table([head, ...rows], { width })}\n`);
}
