import { resolve } from "node:path";
import { EXIT, type ExitCode } from "@drybag/errors";
import type { RunContext } from "@drybag/terminal";
import { isLocalEngine, siteDocker } from "../docker-environment.ts";
import { installedStacks } from "../site/installed-stacks.ts";
import { describeStatus } from "../status/describe-status.ts";
import { readStatus, type StackStatus } from "../status/read-status.ts";
import { watchStatus } from "../status/watch-status.ts";
import { optionalStackName, type SiteFlags } from "./site-flags.ts";

export interface StatusFlags extends SiteFlags {
  watch?: boolean;
}

/** What runs, and whether it is what was installed. Without a name, every stack here. Exit code 7 when one is not healthy. */
export async function statusCommand(
  context: RunContext,
  flags: StatusFlags,
  name?: string,
): Promise<ExitCode> {
  const docker = siteDocker(context.env, resolve(context.cwd, flags.dir));
  const around = { engineIsLocal: isLocalEngine(context.env), signal: context.signal };
  const stackName = optionalStackName(name);
  const look = async () => {
    const stacks: StackStatus[] = [];
    for (const stack of await installedStacks(resolve(context.cwd, flags.dir), stackName)) {
      stacks.push(await readStatus(docker, stack.name, stack.current, around));
    }
    return stacks;
  };
  const shown = (stacks: StackStatus[]) =>
    context.json ? `${JSON.stringify({ stacks })}\n` : stacks.map(describe(context)).join("\n");

  // The first look in any case: what cannot be looked at at all is told as by every command.
  const first = await context.wait("Looking at what runs", look);
  context.stdout.write(flags.watch ? frame(context, shown(first)) : shown(first));
  if (!flags.watch) return exitCodeOf(first);
  const last = await watchStatus(
    first,
    look,
    (seen) => {
      const text =
        "stacks" in seen ? shown(seen.stacks) : context.json ? "" : `error: ${seen.error.message}\n`;
      context.stdout.write(frame(context, text));
    },
    context.signal,
  );
  return last ? exitCodeOf(last) : EXIT.unhealthy;
}

const CLEAR = "\u001b[H\u001b[2J\u001b[3J";

/** In a terminal each look takes the place of the one before. */
function frame({ json, stdout, env }: RunContext, text: string): string {
  if (json) return text;
  const time = new Date().toLocaleTimeString("sv");
  const heading = `${time}, looked at every 2 s; Ctrl-C ends\n\n`;
  return `${stdout.isTTY && env.TERM !== "dumb" ? CLEAR : ""}${heading}${text}${stdout.isTTY ? "" : "\n"}`;
}

function exitCodeOf(stacks: readonly StackStatus[]): ExitCode {
  return stacks.every(({ healthy }) => healthy) ? EXIT.ok : EXIT.unhealthy;
}

function describe({ unicode, stdout }: RunContext): (stack: StackStatus) => string {
  return (stack) => describeStatus(stack, { unicode, colorFor: stdout });
}
