import { readdir, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { DrybagError } from "@drybag/errors";
import { formatBytes, type RunContext } from "@drybag/terminal";
import { siteDocker } from "../docker-environment.ts";
import { exists } from "../release/place-release.ts";
import { sitePaths } from "../site/site-paths.ts";
import { dockerFacts, hostFacts } from "../support/collect-host.ts";
import { collectStack, type OpenedStack, openStack } from "../support/collect-stack.ts";
import { Redactor } from "../support/redact.ts";
import { SupportArchive } from "../support/support-archive.ts";
import { optionalStackName, type SiteFlags } from "./site-flags.ts";

export interface SupportFlags extends SiteFlags {
  output?: string;
}

/** One archive for whoever helps from afar: everything that tells how this server and its stacks are, without their secrets. */
export async function supportCommand(
  context: RunContext,
  flags: SupportFlags,
  name: string | undefined,
  version: string,
): Promise<void> {
  const { signal } = context;
  const dir = resolve(context.cwd, flags.dir);
  const names = await stackFolders(dir, optionalStackName(name));
  const path = await outputPath(context, flags.output, name ?? "drybag");
  const docker = siteDocker(context.env, resolve(context.cwd, flags.dir));
  const cut = await context.wait("Collecting facts, states and logs", async () => {
    await using archive = await createArchive(path);
    const stacks: OpenedStack[] = [];
    for (const each of names) stacks.push(await openStack({ dir, name: each }, docker, signal));
    const secrets = {
      values: stacks.flatMap((stack) => [...stack.secrets.values]),
      names: stacks.flatMap((stack) => [...stack.secrets.names]),
    };
    const redactor = () => new Redactor(secrets);
    await archive.add("host.json", await hostFacts(version, dir), redactor());
    for await (const { file, text } of dockerFacts(docker, signal)) await archive.add(file, text, redactor());
    for (const stack of stacks) await collectStack(archive, stack, redactor, docker, signal);
    const notes = [...stacks.flatMap(({ problems }) => problems), ...archive.cut];
    await archive.add("problems.txt", notes.length === 0 ? "none" : notes.join("\n"), redactor());
    await archive.finish();
    return archive.cut;
  });
  const { size: sizeBytes } = await stat(path);
  context.stdout.write(
    context.json
      ? `${JSON.stringify({ path, sizeBytes, stacks: names, cut })}\n`
      : [
          `${path} (${formatBytes(sizeBytes)}) tells how this server and ${names.join(", ") || "no stack"} are.`,
          "Passwords, keys and tokens were taken out as far as a program can know them. Look through it before you give it away:",
          `  tar -tzf ${path}`,
          "",
        ].join("\n"),
  );
}

/** Stacks that are installed, and those whose install failed: both have a journal. */
async function stackFolders(dir: string, name: string | undefined): Promise<string[]> {
  const names = name === undefined ? (await readdir(dir).catch(() => [])).sort() : [name];
  const found: string[] = [];
  for (const each of names) {
    const { journal, current } = sitePaths(dir, each);
    if ((await exists(journal)) || (await exists(current))) found.push(each);
  }
  if (name !== undefined && found.length === 0) {
    throw new DrybagError("release-not-found", `The stack ${name} is not installed in ${dir}.`, {
      hint: "Leave the name out for all that is there. Another folder is named with --dir.",
    });
  }
  return found;
}

async function outputPath(context: RunContext, output: string | undefined, stem: string): Promise<string> {
  const time = new Date().toISOString().slice(0, 19).replace(/[-:]/g, "").replace("T", "-");
  const file = `${stem}-support-${time}.tar.gz`;
  if (output === undefined) return join(context.cwd, file);
  const path = resolve(context.cwd, output);
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) return join(path, file);
  if (!found) return path;
  throw new DrybagError("output-exists", `${path} exists already.`, {
    hint: "Name another file, or a folder, with --output.",
  });
}

async function createArchive(path: string): Promise<SupportArchive> {
  try {
    return await SupportArchive.create(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new DrybagError("not-writable", `${path} cannot be written (${code}).`, {
      cause: error,
      hint: "Name a file or a folder that you may write to with --output.",
    });
  }
}
