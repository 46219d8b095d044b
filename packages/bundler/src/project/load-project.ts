import {
  ANY_FAILURE,
  type ComposeFlags,
  type ComposeModel,
  type DockerContext,
  readComposeModel,
  readComposeVersion,
  readRawComposeModel,
  runCompose,
} from "@drybag/docker";
import { DrybagError, type Finding } from "@drybag/errors";
import type { Setting } from "@drybag/format";
import { type ComposeGraph, readComposeGraph } from "../compose/compose-graph.ts";
import { type EnvFile, readEnvFile } from "../compose/env-file.ts";
import { findComposeFiles, type ProjectSources } from "../compose/find-compose-files.ts";
import { interpolate } from "../compose/interpolate.ts";
import { passedVariablesOf } from "../compose/passed-variables.ts";
import type { VariableUse } from "../compose/scan-variables.ts";
import { variablesOf } from "../compose/variables-of.ts";
import type { ProjectConfig } from "../config/project-config.ts";
import type { ProjectFlags } from "../options.ts";
import { withFrappeOnSite } from "../recipes/frappe/on-site.ts";
import { checkOneShots } from "./check-one-shots.ts";
import { checkTasks, settingsOfTasks } from "./check-tasks.ts";
import { collectSettings, isOfTheSite } from "./collect-settings.ts";

/** A Compose project, read. */
export interface LoadedProject {
  sources: ProjectSources;
  /** As Compose understands it. Holds secrets. */
  model: ComposeModel;
  /** The files that it is written in. */
  graph: ComposeGraph;
  /** What its variables are replaced with. Holds secrets. */
  environment: Record<string, string>;
  /** Required variables without a value, which Compose was given placeholders for. */
  unknownVariables: string[];
  /** Absolute paths of the services' env files and label files. */
  serviceFiles: { path: string; required: boolean }[];
  settings: Setting[];
  /** Values that came from the environment of the packing program and that the site needs too. */
  packedEnvironment: Record<string, string>;
  /** Values of variables that Compose is given beside its env files. */
  variables: Readonly<Record<string, string>>;
  /** What drybag.yaml adds; undefined without one. */
  config: ProjectConfig | undefined;
  /** What is wrong with it that does not stop anything. */
  findings: Finding[];
}

/** What Compose may be told for a required variable that only the site knows. Two of them, to see what depends on it. */
const PLACEHOLDERS = ["1", "2"] as const;

/**
 * Reads the project through `docker compose config`, the authority on what it means.
 * Throws `project-not-found`, `project-invalid`, `file-unreadable`, `setting-missing`, `config-invalid`.
 */
export async function loadProject(
  docker: DockerContext,
  flags: ProjectFlags,
  signal: AbortSignal,
): Promise<LoadedProject> {
  const files = await readProjectFiles(docker, flags, signal);
  const { sources, graph, environment, compose, unknownVariables } = files;
  const [model, serviceFiles] = await Promise.all([
    readModel(docker, compose, unknownVariables, signal),
    readServiceFiles(docker, compose, environment, unknownVariables, signal),
  ]);
  const config = flags.config && withFrappeOnSite(flags.config, model);
  if (config !== undefined) {
    checkOneShots(config, graph);
    checkTasks(config, model);
  }
  const { settings, packedEnvironment, findings } = collectSettings({
    uses: graph.documents.flatMap((document) => [...variablesOf(document), ...passedVariablesOf(document)]),
    // With the defaults of the recipe's settings too, which come only after the model.
    environment: { ...environment, ...declaredDefaults(config, docker.env) },
    ownEnvironment: docker.env,
    unknown: unknownVariables,
    envFiles: await readEnvFiles(files),
    declared: config?.settings ?? [],
    needed: config === undefined ? [] : settingsOfTasks(config),
  });
  return {
    sources,
    model,
    graph,
    environment,
    unknownVariables,
    serviceFiles,
    settings,
    packedEnvironment,
    variables: compose.variables ?? {},
    config,
    findings,
  };
}

/** A project as far as it can be read without asking Compose what it means. */
export interface ProjectFiles
  extends Pick<LoadedProject, "sources" | "graph" | "environment" | "unknownVariables"> {
  compose: ComposeFlags;
}

/** Reads the files of a project. Throws `project-not-found`, `project-invalid`, `file-missing`, `file-unreadable`. */
export async function readProjectFiles(
  docker: DockerContext,
  flags: ProjectFlags,
  signal: AbortSignal,
): Promise<ProjectFiles> {
  const sources = await findComposeFiles(flags, docker.env);
  const compose: ComposeFlags = {
    cwd: flags.cwd,
    files: sources.composeFiles,
    envFiles: sources.envFiles,
    profiles: sources.profiles.length > 0 ? sources.profiles : ["*"],
    projectName: flags.projectName,
    projectDirectory: flags.projectDirectory,
  };
  const declared = declaredDefaults(flags.config, docker.env);
  const environment = {
    ...(await readInterpolationEnvironment(docker, compose, sources.projectDirectory, signal)),
    ...declared,
  };
  const graph = await readComposeGraph(sources.composeFiles, sources.projectDirectory, environment);
  const uses = graph.documents.flatMap(variablesOf);
  const missing = uses.filter((use) => isMissing(use, environment));
  const used = new Set([...uses, ...graph.documents.flatMap(passedVariablesOf)].map((use) => use.name));
  // Only what the project refers to: any other name might mean something to the client itself.
  compose.variables = Object.fromEntries(Object.entries(declared).filter(([name]) => used.has(name)));
  return { sources, graph, environment, compose, unknownVariables: unique(missing.map((use) => use.name)) };
}

/** Defaults of drybag.yaml win over env files, and this program's own environment over them. */
function declaredDefaults(
  config: ProjectConfig | undefined,
  ownEnvironment: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const defaults = (config?.settings ?? []).flatMap((setting) =>
    setting.default !== undefined && isOfTheSite(setting.name) && ownEnvironment[setting.name] === undefined
      ? [[setting.name, setting.default] as const]
      : [],
  );
  return Object.fromEntries(defaults);
}

/** Those of includes first: the project's own have the last word. */
async function readEnvFiles({ sources, graph, environment }: ProjectFiles): Promise<EnvFile[]> {
  const own = await Promise.all(sources.envFiles.map((file) => readEnvFile(file, environment)));
  return [...graph.units.flatMap((unit) => unit.envFiles), ...own].filter((file) => file !== undefined);
}

/** `${X:?}` wants a value, `${X?}` only that it is set. */
function isMissing(use: VariableUse, environment: Readonly<Record<string, string>>): boolean {
  const value = environment[use.name];
  return use.required && (value === undefined || (value === "" && !use.mayBeEmpty));
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)];
}

async function readModel(
  docker: DockerContext,
  compose: ComposeFlags,
  unknown: string[],
  signal: AbortSignal,
): Promise<ComposeModel> {
  const [first, second] = PLACEHOLDERS;
  const read = (value: string) =>
    readComposeModel(docker, compose, { signal, env: placeholders(unknown, value) });
  if (unknown.length === 0) return read(first);
  const [model, other] = await Promise.all([read(first), read(second)]);
  if (JSON.stringify(needsOf(model)) !== JSON.stringify(needsOf(other))) {
    throw new DrybagError("setting-missing", `${unknown.join(", ")} must have a value when packing.`, {
      hint: "It chooses an image or a file of the bundle: set it in the env file, or as a variable of this command.",
    });
  }
  return model;
}

function placeholders(names: readonly string[], value: string): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, value]));
}

/** What a bundle is made from, as far as variables can change it. */
function needsOf(model: ComposeModel): unknown {
  return [
    model.name,
    Object.entries(model.services ?? {}).map(([name, service]) => [
      name,
      service.image,
      (service.volumes ?? []).filter((mount) => mount.type !== "volume").map((mount) => mount.source),
    ]),
    Object.values({ ...model.configs, ...model.secrets }).map((object) => object.file),
  ];
}

/**
 * The variables that Compose interpolates with: its env files, below this program's own environment. Asked of an empty
 * project, since the real one may lack a required variable and then Compose answers nothing.
 */
async function readInterpolationEnvironment(
  docker: DockerContext,
  compose: ComposeFlags,
  projectDirectory: string,
  signal: AbortSignal,
): Promise<Record<string, string>> {
  const empty: ComposeFlags = { ...compose, files: ["-"], profiles: [], projectDirectory };
  const output = await runCompose(docker, empty, ["config", "--environment"], {
    signal,
    input: "name: empty\nservices: {}\n",
    allowExitCodes: ANY_FAILURE,
  });
  if (output.exitCode !== 0) {
    // Without the plugin the client fails in words of its own; this says so.
    await readComposeVersion(docker, { signal });
    throw new DrybagError("project-invalid", "Docker Compose cannot read the project's env files.", {
      detail: output.stderr,
      hint: "Mend what it names.",
    });
  }
  const environment: Record<string, string> = {};
  for (const line of output.stdout.split("\n")) {
    const at = line.indexOf("=");
    if (at > 0) environment[line.slice(0, at)] = line.slice(at + 1);
  }
  return environment;
}

/** Compose forgets `env_file` and `label_file` once it has merged them; without interpolation it still shows them. */
async function readServiceFiles(
  docker: DockerContext,
  compose: ComposeFlags,
  environment: Record<string, string>,
  unknown: string[],
  signal: AbortSignal,
): Promise<{ path: string; required: boolean }[]> {
  const raw = await readRawComposeModel(docker, compose, {
    signal,
    env: placeholders(unknown, PLACEHOLDERS[0]),
  });
  return Object.values(raw.services ?? {}).flatMap((service) =>
    [...(service.env_file ?? []), ...[service.label_file ?? []].flat()].map((file) =>
      typeof file === "string"
        ? { path: interpolate(file, environment), required: true }
        : { path: interpolate(file.path, environment), required: file.required !== false },
    ),
  );
}
