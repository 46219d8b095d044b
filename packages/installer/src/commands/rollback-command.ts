import { resolve } from "node:path";
import { DrybagError } from "@drybag/errors";
import { confirm, type RunContext, servicesTable } from "@drybag/terminal";
import { isLocalEngine, siteDocker } from "../docker-environment.ts";
import { serviceLine } from "../health/judge-services.ts";
import { previousRelease, releaseNames } from "../releases/list-releases.ts";
import { ROLLBACK_STAGES, rollBack } from "../rollback/roll-back.ts";
import { type InstalledRelease, readRelease } from "../site/current-release.ts";
import { type InstalledStack, theInstalledStack } from "../site/installed-stacks.ts";
import { committedReleases, readJournal } from "../site/journal.ts";
import { optionalStackName, requireAnswer, type SiteFlags } from "./site-flags.ts";

export interface RollbackFlags extends SiteFlags {
  to?: string;
  yes?: boolean;
  timeout: number;
}

/** Goes back to the release before, or to a named one. */
export async function rollbackCommand(
  context: RunContext,
  flags: RollbackFlags,
  name?: string,
): Promise<void> {
  requireAnswer(context, flags.yes);
  const stack = await theInstalledStack(resolve(context.cwd, flags.dir), optionalStackName(name));
  const target = await chooseTarget(stack, flags.to);
  const { stdin, stderr, signal } = context;
  if (!flags.yes) {
    stderr.write(
      `${stack.name} goes from release ${stack.current.name} back to ${target.name}.\n` +
        "Data stays as it is: what the newer release changed in it is not undone.\n",
    );
    if (!(await confirm("Go back?", { stdin, stderr, signal }))) {
      throw new DrybagError("interrupted", "nothing was changed");
    }
  }
  const progress = context.progress(ROLLBACK_STAGES);
  const { services } = await rollBack(
    stack,
    target,
    { healthTimeoutMs: flags.timeout * 1000 },
    {
      docker: siteDocker(context.env, resolve(context.cwd, flags.dir)),
      engineIsLocal: isLocalEngine(context.env),
      progress,
      signal,
      questions: undefined,
    },
  );
  await progress.close();
  const lines = services.map(serviceLine);
  if (context.json) {
    const result = {
      name: stack.name,
      release: target.name,
      previousRelease: stack.current.name,
      services: lines,
    };
    context.stdout.write(`${JSON.stringify(result)}\n`);
    return;
  }
  context.stdout.write(
    [
      `${stack.name} runs release ${target.name} again, and is healthy. Data is as ${stack.current.name} left it.`,
      "",
      servicesTable(lines, { unicode: context.unicode, colorFor: context.stdout }),
      "",
    ].join("\n"),
  );
}

async function chooseTarget(
  { paths, current, name }: InstalledStack,
  to?: string,
): Promise<InstalledRelease> {
  const names = await releaseNames(paths);
  const history = committedReleases(await readJournal(paths.journal));
  const target = to ?? previousRelease(history, current.name, names);
  if (target === current.name) {
    throw new DrybagError("usage", `${name} runs release ${target} already`, {
      hint: "see 'drybag-site releases' for the others",
    });
  }
  if (target !== undefined && names.includes(target)) return readRelease(paths, target);
  throw new DrybagError(
    "release-not-found",
    to === undefined
      ? `${name} has no release before ${current.name} here.`
      : `${name} has no release ${to} here.`,
    { hint: `Here are: ${names.join(", ")}. Any other comes with its bundle: install that.` },
  );
}
