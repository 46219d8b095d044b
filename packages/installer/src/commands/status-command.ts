import { readdir } from "node:fs/promises";
import { resolve } from "node:path";
import { DrybagError, EXIT, type ExitCode } from "@drybag/errors";
import type { RunContext } from "@drybag/terminal";
import { dockerEnvironment } from "../docker-environment.ts";
import { readCurrentRelease } from "../site/current-release.ts";
import { sitePaths } from "../site/site-paths.ts";
import { describeStatus } from "../status/describe-status.ts";
import { readStatus, type StackStatus } from "../status/read-status.ts";
import { type SiteFlags, stackName } from "./site-flags.ts";

/** What runs, and whether it is what was installed. Without a name, every stack here. Exit code 7 when one is not healthy. */
export async function statusCommand(context: RunContext, flags: SiteFlags, name?: string): Promise<ExitCode> {
  const dir = resolve(context.cwd, flags.dir);
  const docker = { env: dockerEnvironment(context.env) };
  const names = name === undefined ? await installedStacks(dir) : [stackName(name)];
  const stacks: StackStatus[] = [];
  for (const each of names) {
    const release = await readCurrentRelease(sitePaths(dir, each));
    if (!release) throw notInstalled(each, dir, await installedStacks(dir));
    stacks.push(
      await context.wait(`Looking at ${each}`, () => readStatus(docker, each, release, context.signal)),
    );
  }
  context.stdout.write(
    context.json ? `${JSON.stringify({ stacks })}\n` : stacks.map(describe(context)).join("\n"),
  );
  return stacks.every(({ healthy }) => healthy) ? EXIT.ok : EXIT.unhealthy;
}

function describe({ unicode, stdout }: RunContext): (stack: StackStatus) => string {
  return (stack) => describeStatus(stack, { unicode, colorFor: stdout });
}

async function installedStacks(dir: string): Promise<string[]> {
  const names = await readdir(dir).catch(() => []);
  const found: string[] = [];
  for (const name of names.sort()) {
    const entries: string[] = await readdir(sitePaths(dir, name).root).catch(() => []);
    if (entries.includes("current")) found.push(name);
  }
  if (found.length > 0) return found;
  throw new DrybagError("release-not-found", `No stack is installed in ${dir}.`, {
    hint: "Install one, or name the folder with --dir.",
  });
}

function notInstalled(name: string, dir: string, others: readonly string[]): DrybagError {
  return new DrybagError("release-not-found", `The stack ${name} is not installed in ${dir}.`, {
    hint: `Here are: ${others.join(", ")}. Another folder is named with --dir.`,
  });
}
