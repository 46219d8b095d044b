import path from "node:path";
import { readBuildxVersion, readEngineFacts } from "@drybag/docker";
import { isDrybagError } from "@drybag/errors";
import { type RunContext, table } from "@drybag/terminal";
import { findConfig } from "../config/find-config.ts";
import { parsePlatform, stateDirectory } from "../options.ts";
import { type LoadedProject, loadProject } from "../project/load-project.ts";
import { type ProjectCommandFlags, projectFlags } from "../project-options.ts";
import { openUpdates, updatedFiles } from "../update/update-files.ts";
import { buildProject, chooseTargets, planProjectBuilds } from "./build-project.ts";
import { builtServices } from "./compose-builds.ts";
import type { BuiltImage } from "./run-builds.ts";
import { writeEnv } from "./write-env.ts";

export interface BuildFlags extends ProjectCommandFlags {
  push?: boolean;
  /** `--no-cache`. */
  cache: boolean;
  environment?: string;
  allowDirty?: boolean;
  platform?: string;
  /** A file, or true for the project's own. */
  writeEnv?: string | true;
  updateFiles?: boolean;
}

/** `drybag build [TARGET…]`: builds of drybag.yaml, and services that Compose builds. */
export async function buildCommand(
  context: RunContext,
  flags: BuildFlags,
  names: string[],
  home: string,
): Promise<void> {
  const { cwd, env, signal } = context;
  if (flags.platform !== undefined) parsePlatform(flags.platform);
  const config = await findConfig(flags, cwd);
  const chosen = projectFlags(flags, cwd, config);
  const envFile = envFileToWrite(flags, cwd, chosen.envFiles, config?.project.folder);
  const options = {
    environment: flags.environment,
    allowDirty: flags.allowDirty ?? false,
    noCache: !flags.cache,
    push: flags.push ?? false,
    stateDirectory: stateDirectory({ env, home }),
    ownFiles: [
      ...(envFile === undefined ? [] : [envFile]),
      ...(flags.updateFiles ? updatedFiles(config?.project) : []),
    ],
  };
  const progress = context.progress();
  const { builds, targets, project, docker, updates } = await progress.stage(
    "project",
    "Read the project",
    async () => {
      const builds = await planProjectBuilds(
        { env },
        config?.project,
        { ...options, version: config?.version },
        signal,
      );
      const updates = flags.updateFiles ? await openUpdates(config?.project, builds.planned, cwd) : undefined;
      // What the builds set is what Compose reads.
      const docker = { env: { ...env, ...builds.variables } };
      await readEngineFacts(docker, { signal });
      await readBuildxVersion(docker, { signal });
      const own = builds.planned.map(({ name }) => name);
      const needsCompose = names.length === 0 || names.some((name) => !own.includes(name));
      const project = needsCompose
        ? await readCompose(() => loadProject(docker, chosen, signal), own)
        : undefined;
      const services = project === undefined ? [] : builtServices(project);
      const targets = chooseTargets(names, builds.planned, services);
      return { builds, docker, project, targets, updates };
    },
  );
  const built = await buildProject(
    { docker, config: config?.project, builds, targets, project, flags: chosen, platform: flags.platform },
    options,
    progress,
    signal,
  );
  await progress.close();
  if (envFile !== undefined) await writeEnv(envFile, builds.variables);
  const updated = (await updates?.write(built.images.map(({ name }) => name))) ?? [];
  context.stdout.write(
    context.json
      ? `${JSON.stringify({ ...built, variables: builds.variables, updatedFiles: updated })}\n`
      : report(
          built.images,
          builds.variables,
          envFile && (path.relative(cwd, envFile) || envFile),
          updated.map((file) => path.relative(cwd, file)),
        ),
  );
}

/** A folder may have builds and no Compose file. */
async function readCompose(
  load: () => Promise<LoadedProject>,
  own: readonly string[],
): Promise<LoadedProject | undefined> {
  try {
    return await load();
  } catch (error) {
    if (own.length > 0 && isDrybagError(error, "project-not-found")) return undefined;
    throw error;
  }
}

function envFileToWrite(
  { writeEnv: wanted }: BuildFlags,
  cwd: string,
  envFiles: readonly string[],
  folder: string | undefined,
): string | undefined {
  if (wanted === undefined) return undefined;
  if (wanted !== true) return path.resolve(cwd, wanted);
  return envFiles.at(-1) ?? path.join(folder ?? cwd, ".env");
}

function report(
  images: readonly BuiltImage[],
  variables: Readonly<Record<string, string>>,
  envFile: string | undefined,
  updated: readonly string[],
): string {
  if (images.length === 0) return "Nothing is built by this project.\n";
  const rows = images.map((image) => [
    image.name,
    image.references.join("\n"),
    `${image.cachedSteps} of ${image.steps}`,
    image.pushed ? "yes" : "no",
  ]);
  const apps = images.flatMap(({ provenance }) => provenance.apps);
  return [
    table([["BUILD", "IMAGE", "FROM CACHE", "PUSHED"], ...rows.flatMap(spread)]),
    ...(apps.length === 0
      ? []
      : [
          table([
            ["APP", "VERSION", "PINNED", "COMMIT"],
            ...apps.map(({ name, version, ref, commit }) => [name, version ?? "?", ref, commit.slice(0, 12)]),
          ]),
        ]),
    ...(envFile === undefined ? [] : [`Written into ${envFile}: ${Object.keys(variables).join(", ")}`]),
    ...(updated.length === 0 ? [] : [`Updated: ${updated.join(", ")}`]),
    `Logs: ${logs(images)}`,
    "",
  ].join("\n");
}

/** The logs of one run begin with its time. */
function logs(images: readonly BuiltImage[]): string {
  const files = [...new Set(images.map(({ logFile }) => logFile))];
  const [first = ""] = files;
  const started = /^[0-9T-]+Z/.exec(path.basename(first))?.[0];
  return files.length === 1 ? first : path.join(path.dirname(first), `${started}-*.log`);
}

/** Further tags of an image stand below its first. */
function spread([name = "", references = "", ...rest]: string[]): string[][] {
  const [first = "", ...more] = references.split("\n");
  return [[name, first, ...rest], ...more.map((reference) => ["", reference, "", ""])];
}
