import {
  buildArguments,
  type DockerContext,
  type ImageBuild,
  inspectImage,
  pushImage,
  removeImage,
} from "@drybag/docker";
import { DrybagError, type Finding } from "@drybag/errors";
import type { BuildProvenance } from "@drybag/format";
import type { Progress, StageReport } from "@drybag/terminal";
import { redactor } from "../git/redact.ts";
import type { PreparedRecipe } from "../recipes/recipe.ts";
import { type BuildRun, runBuild } from "./build-image.ts";
import { type ReadSecret, readSecrets } from "./build-secrets.ts";
import { findTokens } from "./find-tokens.ts";
import type { PlannedBuild } from "./plan-builds.ts";
import { describeProvenance } from "./provenance.ts";

export interface RunBuildsOptions {
  docker: DockerContext;
  /** Folder of drybag.yaml: what is recorded is relative to it. */
  folder: string;
  noCache: boolean;
  push: boolean;
  /** The server's platform; the engine's own when undefined. */
  platform: string | undefined;
  /** Where logs are kept. */
  logFile: (name: string) => string;
}

/** An image that was built. */
export interface BuiltImage {
  name: string;
  /** Name and tag, the one that is packed first. */
  references: string[];
  id: string;
  provenance: BuildProvenance;
  /** Instructions, and how many of them were in the cache. */
  steps: number;
  cachedSteps: number;
  logFile: string;
  pushed: boolean;
  findings: Finding[];
}

/**
 * Builds images, each as soon as those that it needs are there, the others side by side. The first failure stops the rest.
 * Throws `build-failed`, `token-missing`, `token-leaked`, `commit-mismatch`, `push-failed`.
 */
export async function runBuilds(
  builds: readonly PlannedBuild[],
  recipes: ReadonlyMap<string, PreparedRecipe>,
  options: RunBuildsOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<BuiltImage[]> {
  // Before anything is built: hours later is no time to say that a token is missing.
  const secrets = new Map<string, ReadSecret[]>();
  for (const build of builds)
    secrets.set(build.name, await readSecrets(build, recipes.get(build.name), options.docker.env));
  const failure = new AbortController();
  const either = AbortSignal.any([signal, failure.signal]);
  const running = new Map<string, Promise<BuiltImage>>();
  let first: unknown;
  for (const build of builds) {
    const needed = build.declared.needs.map(({ text }) => running.get(text));
    const run = async () => {
      await Promise.all(needed);
      either.throwIfAborted();
      return progress.stage(
        `build-${build.name}`,
        `Build ${build.name}`,
        (report) =>
          buildOne(
            { build, all: builds, recipe: recipes.get(build.name), secrets: secrets.get(build.name) ?? [] },
            options,
            report,
            either,
          ),
        ({ references, steps, cachedSteps }) =>
          `${references[0]}, ${cachedSteps} of ${steps} steps from the cache`,
      );
    };
    const built = run().catch((error: unknown) => {
      if (!failure.signal.aborted) {
        first = error;
        failure.abort(error);
      }
      throw error;
    });
    built.catch(() => undefined);
    running.set(build.name, built);
  }
  const results = await Promise.allSettled(running.values());
  signal.throwIfAborted();
  if (first !== undefined) throw first;
  return results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
}

interface OneBuild {
  build: PlannedBuild;
  all: readonly PlannedBuild[];
  recipe: PreparedRecipe | undefined;
  secrets: readonly ReadSecret[];
}

async function buildOne(
  { build, all, recipe, secrets }: OneBuild,
  options: RunBuildsOptions,
  report: StageReport,
  signal: AbortSignal,
): Promise<BuiltImage> {
  const { docker } = options;
  const { declared, references, name } = build;
  const image: ImageBuild = {
    context: declared.context,
    file: declared.file,
    tags: references,
    target: declared.target,
    args: { ...recipe?.args, ...build.args },
    argsFromEnv: Object.keys(recipe?.hiddenArgs ?? {}),
    labels: labelsOf(build, recipe),
    secrets: secrets.map(({ id, variable }) => ({ id, env: variable })),
    contexts: Object.fromEntries(
      declared.needs.map(({ text }) => [
        text,
        `docker-image://${all.find((each) => each.name === text)?.references[0]}`,
      ]),
    ),
    platforms: platformsFor(build, options),
    cacheFrom: declared.cacheFrom,
    cacheTo: declared.cacheTo,
    network: declared.network,
    noCache: options.noCache || (recipe?.uncachedStages.includes(undefined) ?? false),
    noCacheFilter: recipe?.uncachedStages.filter((stage) => stage !== undefined) ?? [],
    output: "load",
  };
  const tokens = [...(recipe?.tokens ?? []), ...secrets.flatMap(({ token }) => token ?? [])];
  const run: Omit<BuildRun, "args"> = {
    name,
    env: {
      ...recipe?.hiddenArgs,
      ...Object.fromEntries(secrets.map(({ variable, value }) => [variable, value])),
    },
    redact: redactor(tokens),
    logFile: options.logFile(name),
  };
  const log = await runBuild(docker, { ...run, args: buildArguments(image) }, report, signal);
  const packed = references[0];
  const facts = await inspectImage(docker, packed, { signal });
  if (facts === undefined) {
    throw new DrybagError("build-failed", `Building ${name} left no image ${packed} in the engine.`, {
      hint: "Check the builder that is in use: 'docker buildx ls'.",
    });
  }
  if (tokens.length > 0) {
    report.message("looking for tokens in the image");
    await requireNoTokens(docker, build, tokens, signal);
  }
  const findings: Finding[] = [];
  if (recipe !== undefined) {
    report.message("comparing the apps with their pins");
    findings.push(...(await discardOnFailure(docker, references, () => recipe.verify(packed, signal))));
  }
  if (options.push) {
    const everywhere = { ...image, platforms: declared.platforms };
    await push(build, { image: everywhere, run }, docker, report, signal);
  }
  const steps = log.steps;
  return {
    name,
    references,
    id: facts.id,
    provenance: await describeProvenance(
      {
        target: name,
        recipe: recipe?.recipe,
        commit: build.project,
        file: image.file,
        args: image.args,
        contexts: image.contexts,
        apps: recipe?.apps,
      },
      log,
      options.folder,
    ),
    steps: steps.length,
    cachedSteps: steps.filter(({ cached }) => cached).length,
    logFile: run.logFile,
    pushed: options.push,
    findings,
  };
}

/** What goes into the engine is for one platform: the server's. */
function platformsFor({ declared, name }: PlannedBuild, { platform, push }: RunBuildsOptions): string[] {
  if (platform !== undefined) return [platform];
  if (declared.platforms.length <= 1) return declared.platforms;
  if (push) return [];
  throw new DrybagError("usage", `'${name}' is built for several platforms, which an engine cannot hold.`, {
    hint: "Add --push, or name one with --platform.",
  });
}

/** opencontainers/image-spec, annotations.md. */
function labelsOf(build: PlannedBuild, recipe: PreparedRecipe | undefined): Record<string, string> {
  const { project, references } = build;
  const packed = references[0];
  return {
    "dev.drybag.build": build.name,
    "org.opencontainers.image.version": packed.slice(packed.lastIndexOf(":") + 1),
    ...(project === undefined ? {} : { "org.opencontainers.image.revision": project.commit }),
    ...recipe?.labels,
  };
}

/** Throws `token-leaked` after removing the image where one of these can be read in it. */
export async function requireNoTokens(
  docker: DockerContext,
  { name, references }: { name: string; references: readonly [string, ...string[]] },
  tokens: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const places = await discardOnFailure(docker, references, () =>
    findTokens(docker, references[0], tokens, signal),
  );
  if (places.length === 0) return;
  await discard(docker, references);
  throw new DrybagError("token-leaked", `A token can be read in the image of ${name}: it was removed.`, {
    detail: places.map(({ place }) => `in ${place}`).join("\n"),
    hint: "Give it to the build as a secret (RUN --mount=type=secret), and remove .git folders in the same RUN step.",
  });
}

/** An image that was not found good must not be packed by a later command. */
async function discardOnFailure<T>(
  docker: DockerContext,
  references: readonly string[],
  check: () => Promise<T>,
): Promise<T> {
  try {
    return await check();
  } catch (error) {
    await discard(docker, references);
    throw error;
  }
}

/** Under its own signal: an interrupted check must not leave the image either. */
async function discard(docker: DockerContext, references: readonly string[]): Promise<void> {
  for (const reference of references)
    await removeImage(docker, reference, { timeoutMs: 60_000, force: true });
}

async function push(
  build: PlannedBuild,
  pushed: { image: ImageBuild; run: Omit<BuildRun, "args"> },
  docker: DockerContext,
  report: StageReport,
  signal: AbortSignal,
): Promise<void> {
  const { image, run } = pushed;
  if (image.platforms.length > 1) {
    report.message(`pushing for ${image.platforms.join(", ")}`);
    await runBuild(docker, { ...run, args: buildArguments({ ...image, output: "push" }) }, report, signal);
    return;
  }
  for (const reference of build.references) {
    report.message(`pushing ${reference}`);
    await pushImage(docker, reference, { signal });
  }
}
