import path from "node:path";
import type { DockerContext } from "@drybag/docker";
import { DrybagError, type Finding } from "@drybag/errors";
import { nearestName, type Progress } from "@drybag/terminal";
import type { DeclaredBuild } from "../config/declared-builds.ts";
import type { ProjectConfig } from "../config/project-config.ts";
import { type ProjectCommit, readProjectCommit } from "../git/work-tree.ts";
import type { ProjectFlags } from "../options.ts";
import type { LoadedProject } from "../project/load-project.ts";
import { prepareFrappe } from "../recipes/frappe/prepare-frappe.ts";
import type { PreparedRecipe } from "../recipes/recipe.ts";
import { pruneLogs } from "./build-image.ts";
import { keepRecord } from "./build-records.ts";
import { buildServices, builtServices } from "./compose-builds.ts";
import { type BuildChoices, type PlannedBuild, planBuilds, withNeeds } from "./plan-builds.ts";
import { type BuiltImage, type RunBuildsOptions, runBuilds } from "./run-builds.ts";

/** What the flags of `build` and `pack` say about builds, defaults applied. */
export interface BuildOptions extends BuildChoices {
  noCache: boolean;
  push: boolean;
  /** Folder for logs and records; absolute. */
  stateDirectory: string;
  /** Files that this run writes itself, absolute: changes in them do not make the project dirty. */
  ownFiles: string[];
}

/** The builds of a project, named and tagged; nothing is built yet. */
export interface ProjectBuilds {
  planned: PlannedBuild[];
  commit: ProjectCommit | undefined;
  /** Variables that they set for Compose. */
  variables: Record<string, string>;
}

/** Throws `build-dirty`, `reference-invalid`, `usage`, `git-missing`. */
export async function planProjectBuilds(
  docker: DockerContext,
  config: ProjectConfig | undefined,
  options: BuildOptions & { version: string | undefined },
  signal: AbortSignal,
): Promise<ProjectBuilds> {
  const declared = declaredIn(config);
  if (config === undefined || declared.length === 0) return { planned: [], commit: undefined, variables: {} };
  const commit = await readProjectCommit(config.folder, { env: docker.env, signal });
  const own = options.ownFiles.map((file) => path.relative(config.folder, file));
  const project = commit && { ...commit, dirty: commit.dirty.filter((file) => !own.includes(file)) };
  const planned = planBuilds(declared, options, {
    project,
    version: options.version,
    push: options.push,
    versionOf: (name) => (name === config.frappe?.build.name ? config.frappe.version.text : undefined),
  });
  return { planned, commit: project, variables: Object.assign({}, ...planned.map((each) => each.variables)) };
}

function declaredIn(config: ProjectConfig | undefined): DeclaredBuild[] {
  return [...(config?.builds ?? []), ...(config?.frappe ? [config.frappe.build] : [])];
}

/** What is to be built: builds of drybag.yaml, and services with a `build:` section. */
export interface Targets {
  builds: string[];
  services: string[];
}

/** Sorts names into builds and services; all there are where none is given. Throws `usage` for a name that is neither. */
export function chooseTargets(
  names: readonly string[],
  builds: readonly PlannedBuild[],
  services: readonly string[],
): Targets {
  const own = builds.map(({ name }) => name);
  if (names.length === 0) return { builds: own, services: [...services] };
  const known = [...own, ...services];
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    const meant = nearestName(unknown, known);
    throw new DrybagError(
      "usage",
      `There is no build '${unknown}'${meant ? `; did you mean '${meant}'?` : "."}`,
      {
        hint:
          known.length === 0
            ? "Neither drybag.yaml nor a Compose file builds anything."
            : `There are ${known.join(", ")}.`,
      },
    );
  }
  return {
    builds: names.filter((name) => own.includes(name)),
    services: names.filter((name) => !own.includes(name)),
  };
}

/** The builds whose image the project runs; a finding for each that nobody needs. */
export function usedBuilds(
  { planned }: ProjectBuilds,
  references: readonly string[],
): { names: string[]; findings: Finding[] } {
  const used = planned.filter((build) => build.references.some((each) => references.includes(each)));
  const names = used.map(({ name }) => name);
  const needed = new Set(
    withNeeds(
      planned.map(({ declared }) => declared),
      names,
    ).map(({ name }) => name),
  );
  const findings = planned
    .filter(({ name }) => !needed.has(name))
    .map(
      ({ name, references, declared }): Finding => ({
        code: "build-unused",
        severity: "warning",
        message: `Nothing runs the image of the build '${name}', ${references[0]}: it is not built for packing.`,
        remedy: `Name it in a Compose file, by variables that 'env' of the build sets: ${Object.keys(declared.env).join(", ") || "there are none"}.`,
        position: declared.position,
      }),
    );
  return { names, findings };
}

export interface ProjectToBuild {
  docker: DockerContext;
  config: ProjectConfig | undefined;
  builds: ProjectBuilds;
  targets: Targets;
  /** Undefined where there is no Compose project. */
  project: LoadedProject | undefined;
  flags: ProjectFlags;
  platform: string | undefined;
}

/** Builds images: those of drybag.yaml first, then those of Compose. Throws as `runBuilds` and `prepareFrappe` do. */
export async function buildProject(
  { docker, config, builds, targets, project, flags, platform }: ProjectToBuild,
  options: BuildOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<{ images: BuiltImage[]; findings: Finding[] }> {
  const logDirectory = path.join(options.stateDirectory, "builds");
  const started = new Date().toISOString().replace(/[:.]/g, "-");
  const run: RunBuildsOptions = {
    docker,
    folder: config?.folder ?? project?.sources.projectDirectory ?? flags.cwd,
    noCache: options.noCache,
    push: options.push,
    platform,
    logFile: (name) => path.join(logDirectory, `${started}-${name}.log`),
  };
  const wanted = withNeeds(
    builds.planned.map(({ declared }) => declared),
    targets.builds,
  );
  const planned = builds.planned.filter(({ name }) => wanted.some((each) => each.name === name));
  const findings: Finding[] = [];
  const recipes = new Map<string, PreparedRecipe>();
  const { frappe } = config ?? {};
  const ofFrappe = planned.find(({ name }) => name === frappe?.build.name);
  if (frappe !== undefined && ofFrappe !== undefined) {
    const prepared = await progress.stage("apps", "Look at the apps", (report) =>
      prepareFrappe(
        { frappe, build: ofFrappe, docker, cacheDirectory: options.stateDirectory },
        report,
        signal,
      ),
    );
    for (const finding of prepared.findings) progress.emit({ type: "warning", ...finding });
    findings.push(...prepared.findings);
    recipes.set(ofFrappe.name, prepared.recipe);
  }
  const images = await runBuilds(planned, recipes, run, progress, signal);
  for (const finding of images.flatMap((image) => image.findings)) {
    progress.emit({ type: "warning", ...finding });
    findings.push(finding);
  }
  if (project !== undefined && targets.services.length > 0) {
    const services = targets.services.filter((name) => builtServices(project).includes(name));
    const commit =
      builds.commit ??
      (await readProjectCommit(run.folder, { env: docker.env, signal }).catch(() => undefined));
    images.push(...(await buildServices(services, { project, flags, commit }, run, progress, signal)));
  }
  for (const { id, provenance } of images) await keepRecord(options.stateDirectory, id, provenance);
  await pruneLogs(logDirectory);
  return { images, findings };
}
