import { resolve } from "node:path";
import { EXIT, type ExitCode } from "@drybag/errors";
import type { RunContext } from "@drybag/terminal";
import { dockerEnvironment } from "../docker-environment.ts";
import { installedStacks } from "../site/installed-stacks.ts";
import { describeStatus } from "../status/describe-status.ts";
import { readStatus, type StackStatus } from "../status/read-status.ts";
import { optionalStackName, type SiteFlags } from "./site-flags.ts";

/** What runs, and whether it is what was installed. Without a name, every stack here. Exit code 7 when one is not healthy. */
export async function statusCommand(context: RunContext, flags: SiteFlags, name?: string): Promise<ExitCode> {
  const docker = { env: dockerEnvironment(context.env) };
  const stacks: StackStatus[] = [];
  for (const stack of await installedStacks(resolve(context.cwd, flags.dir), optionalStackName(name))) {
    const look = () => readStatus(docker, stack.name, stack.current, context.signal);
    stacks.push(await context.wait(`Looking at ${stack.name}`, look));
  }
  context.stdout.write(
    context.json ? `${JSON.stringify({ stacks })}\n` : stacks.map(describe(context)).join("\n"),
  );
  return stacks.every(({ healthy }) => healthy) ? EXIT.ok : EXIT.unhealthy;
}

function describe({ unicode, stdout }: RunContext): (stack: StackStatus) => string {
  return (stack) => describeStatus(stack, { unicode, colorFor: stdout });
}
