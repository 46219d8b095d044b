import { DrybagError } from "@drybag/errors";
import type { DeclaredBuild } from "../config/declared-builds.ts";
import type { ProjectCommit } from "../git/work-tree.ts";
import { DEFAULT_TAG, imageTag, namesCommit } from "./image-tags.ts";

/** What the flags of a build say. */
export interface BuildChoices {
  environment: string | undefined;
  allowDirty: boolean;
}

/** A build with every word replaced. */
export interface PlannedBuild {
  declared: DeclaredBuild;
  name: string;
  /** Name and tag, the one that is packed first. */
  references: [string, ...string[]];
  args: Record<string, string>;
  /** Variables of the Compose files that it sets. */
  variables: Record<string, string>;
  /** The project's commit, where there is one. */
  project: ProjectCommit | undefined;
}

export interface BuildFacts {
  project: ProjectCommit | undefined;
  /** Of drybag.yaml. */
  version: string | undefined;
  /** Whether images go to a registry. */
  push: boolean;
}

/**
 * Names, tags and arguments of builds; each comes after those that it needs. Throws `usage` for an environment that no build knows,
 * `build-dirty`, `reference-invalid`.
 */
export function planBuilds(
  builds: readonly DeclaredBuild[],
  choices: BuildChoices,
  facts: BuildFacts & { versionOf?: (name: string) => string | undefined },
): PlannedBuild[] {
  requireEnvironment(builds, choices.environment);
  requireClean(builds, choices, facts.project);
  const references = new Map(
    builds.map((build) => [build.name, referencesOf(build, choices, facts)] as const),
  );
  return inOrder(builds).map((build) => {
    const own = references.get(build.name) as [string, ...string[]];
    const environment = chosen(build, choices);
    return {
      declared: build,
      name: build.name,
      references: own,
      args: replaceImages({ ...build.args, ...environment?.args }, references),
      variables: variablesOf(build, own[0], facts.push),
      project: facts.project,
    };
  });
}

function chosen(build: DeclaredBuild, { environment }: BuildChoices) {
  return environment === undefined ? undefined : build.environments[environment];
}

function tagTemplates(build: DeclaredBuild, choices: BuildChoices): string[] {
  const written = (chosen(build, choices)?.tags ?? build.tags)?.map(({ text }) => text);
  if (written !== undefined) return written;
  return choices.environment === undefined ? [DEFAULT_TAG] : [DEFAULT_TAG, "{environment}-latest"];
}

function referencesOf(
  build: DeclaredBuild,
  choices: BuildChoices,
  facts: Parameters<typeof planBuilds>[2],
): [string, ...string[]] {
  const words = {
    project: facts.project,
    version: facts.version ?? facts.versionOf?.(build.name),
    environment: choices.environment,
  };
  const image = build.image ?? build.name;
  const references = tagTemplates(build, choices).map((tag) => `${image}:${imageTag(tag, words)}`);
  return [...new Set(references)] as [string, ...string[]];
}

function requireEnvironment(builds: readonly DeclaredBuild[], environment: string | undefined): void {
  if (environment === undefined || builds.length === 0) return;
  const known = [...new Set(builds.flatMap((build) => Object.keys(build.environments)))];
  const isUsed = builds.some((build) => build.tags?.some(({ text }) => text.includes("{environment}")));
  if (known.includes(environment) || (known.length === 0 && (isUsed || builds.every(({ tags }) => !tags))))
    return;
  throw new DrybagError("usage", `No build has an environment '${environment}'.`, {
    hint: known.length === 0 ? "Write 'environments' into drybag.yaml." : `There are ${known.join(", ")}.`,
  });
}

const MOST_FILES_SHOWN = 5;

function requireClean(
  builds: readonly DeclaredBuild[],
  choices: BuildChoices,
  project: ProjectCommit | undefined,
): void {
  const dirty = project?.dirty ?? [];
  const namesOne = builds.some((build) => tagTemplates(build, choices).some(namesCommit));
  if (dirty.length === 0 || choices.allowDirty || !namesOne) return;
  const shown = dirty.slice(0, MOST_FILES_SHOWN);
  const more = dirty.length > shown.length ? `\nand ${dirty.length - shown.length} more` : "";
  throw new DrybagError("build-dirty", "The project has changes that are not committed.", {
    detail: `${shown.join("\n")}${more}`,
    hint: "Commit or stash them, so that the tag tells the commit; --allow-dirty builds all the same and says '-dirty' in the tag.",
  });
}

/** `{image:base}` is name and tag of the build `base`. */
function replaceImages(
  args: Readonly<Record<string, string>>,
  references: ReadonlyMap<string, readonly string[]>,
): Record<string, string> {
  const replace = (value: string) =>
    value.replace(/\{image:([a-z0-9_-]+)\}/g, (whole, name: string) => references.get(name)?.[0] ?? whole);
  return Object.fromEntries(Object.entries(args).map(([name, value]) => [name, replace(value)]));
}

function variablesOf(build: DeclaredBuild, reference: string, push: boolean): Record<string, string> {
  const at = reference.lastIndexOf(":");
  const words: Record<string, string> = {
    image: reference.slice(0, at),
    tag: reference.slice(at + 1),
    policy: push ? "missing" : "never",
  };
  const replace = (value: string) =>
    value.replace(/\{(image|tag|policy)\}/g, (_, word: string) => words[word] ?? "");
  return Object.fromEntries(Object.entries(build.env).map(([name, value]) => [name, replace(value)]));
}

/** Those that others need first; drybag.yaml with a circle is refused when it is read. */
function inOrder(builds: readonly DeclaredBuild[]): DeclaredBuild[] {
  const byName = new Map(builds.map((build) => [build.name, build]));
  const ordered = new Set<DeclaredBuild>();
  const add = (build: DeclaredBuild) => {
    if (ordered.has(build)) return;
    for (const { text } of build.needs) {
      const needed = byName.get(text);
      if (needed !== undefined) add(needed);
    }
    ordered.add(build);
  };
  for (const build of builds) add(build);
  return [...ordered];
}

/** The builds that were asked for, and those that they need. */
export function withNeeds(builds: readonly DeclaredBuild[], names: readonly string[]): DeclaredBuild[] {
  const byName = new Map(builds.map((build) => [build.name, build]));
  const wanted = new Set<string>();
  const add = (name: string) => {
    if (wanted.has(name)) return;
    wanted.add(name);
    for (const { text } of byName.get(name)?.needs ?? []) add(text);
  };
  for (const name of names) add(name);
  return builds.filter(({ name }) => wanted.has(name));
}
