import { open, stat } from "node:fs/promises";
import path from "node:path";
import type { Platform } from "@drybag/format";
import { type EnvFile, readEnvFile } from "../compose/env-file.ts";
import type { LoadedProject } from "../project/load-project.ts";
import { projectRoot } from "../project/project-files.ts";
import { findOneShots, type LintService, lintServices } from "./lint-service.ts";

/** What lint takes from a project. */
export type ReadProject = Pick<
  LoadedProject,
  "sources" | "model" | "graph" | "environment" | "unknownVariables" | "serviceFiles" | "config"
>;

/** A project with all that the rules look at, so that these only compute. Holds secrets. */
export interface LintProject extends ReadProject {
  /** Variables without a value on which images or files depend, so that the project cannot be packed. */
  decisiveVariables: string[];
  services: [name: string, service: LintService][];
  /** Services that run once and end. */
  oneShots: ReadonlySet<string>;
  /** The folder that travels; what lies outside is not carried. */
  root: string;
  /** Where variables get their values: env files of includes, then the project's own; later ones win. */
  variableFiles: EnvFile[];
  /** Env files of services. */
  serviceEnvFiles: EnvFile[];
  /** This program's own environment, which wins over env files. */
  ownEnvironment: Readonly<Record<string, string | undefined>>;
  /** What lies at the absolute paths that the project names. */
  paths: ReadonlyMap<string, PathKind>;
  /** Content of small bind-mounted configuration files, and of Dockerfiles, by absolute path. */
  texts: ReadonlyMap<string, string>;
  /** What is packed for; undefined when nobody said. */
  platform: Platform | undefined;
}

export type PathKind = "file" | "directory" | "other" | "missing";

/** Larger files are not configuration that a person wrote. */
const LARGEST_TEXT_BYTES = 256 * 1024;

/** Reads the files around a project that the rules need. A file that cannot be read is left out. */
export async function readLintProject(
  project: ReadProject,
  ownEnvironment: Readonly<Record<string, string | undefined>>,
  platform?: Platform,
  decisiveVariables: string[] = [],
): Promise<LintProject> {
  const services = lintServices(project.model);
  const paths = new Map<string, PathKind>();
  for (const file of pathsOf(project, services)) paths.set(file, await kindOf(file));
  return {
    ...project,
    decisiveVariables,
    services,
    oneShots: findOneShots(services, project.config?.oneShots.map(({ text }) => text) ?? []),
    root: rootOf(project),
    variableFiles: [
      ...project.graph.units.flatMap((unit) => unit.envFiles),
      ...(await readEnvFiles(project.sources.envFiles, project.environment)),
    ],
    serviceEnvFiles: await readEnvFiles(
      project.serviceFiles.map((file) => file.path),
      project.environment,
    ),
    ownEnvironment,
    paths,
    texts: await readTexts(services, paths),
    platform,
  };
}

function pathsOf(project: ReadProject, services: LintProject["services"]): Set<string> {
  const mounts = services.flatMap(([, service]) => service.volumes ?? []);
  const objects = Object.values({ ...project.model.configs, ...project.model.secrets });
  const all = [
    ...mounts.filter((mount) => mount.type === "bind").map((mount) => mount.source),
    ...objects.filter((object) => !object.external).map((object) => object.file),
    ...services.flatMap(([, { build }]) => [build?.context, dockerfileOf(build)]),
  ];
  return new Set(all.filter((file) => file !== undefined && path.isAbsolute(file)) as string[]);
}

/** The Dockerfile of a local build; undefined where it is inline or lies on another machine. */
export function dockerfileOf(build: LintService["build"]): string | undefined {
  if (!build?.context || !path.isAbsolute(build.context) || build.dockerfile_inline) return undefined;
  return path.resolve(build.context, build.dockerfile ?? "Dockerfile");
}

async function readEnvFiles(
  files: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<EnvFile[]> {
  const found: EnvFile[] = [];
  for (const file of new Set(files)) {
    const envFile = await readEnvFile(file, environment);
    if (envFile !== undefined) found.push(envFile);
  }
  return found;
}

async function readTexts(
  services: LintProject["services"],
  paths: ReadonlyMap<string, PathKind>,
): Promise<Map<string, string>> {
  const mounted = services.flatMap(([, service]) => (service.volumes ?? []).map((mount) => mount.source));
  const wanted = [
    ...mounted.filter((file) => file !== undefined && /\.(?:conf|template|cfg|caddyfile)$/i.test(file)),
    ...services.map(([, { build }]) => dockerfileOf(build)),
  ];
  const texts = new Map<string, string>();
  for (const file of wanted) {
    if (file === undefined || paths.get(file) !== "file" || texts.has(file)) continue;
    const text = await readSmall(file);
    if (text !== undefined) texts.set(file, text);
  }
  return texts;
}

async function readSmall(file: string): Promise<string | undefined> {
  try {
    await using handle = await open(file, "r");
    if ((await handle.stat()).size > LARGEST_TEXT_BYTES) return undefined;
    return await handle.readFile("utf8");
  } catch {
    return undefined;
  }
}

async function kindOf(file: string): Promise<PathKind> {
  try {
    const info = await stat(file);
    if (info.isFile()) return "file";
    return info.isDirectory() ? "directory" : "other";
  } catch (error) {
    return ["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "") ? "missing" : "other";
  }
}

/** The folder that travels, as packing sees it. */
function rootOf(project: ReadProject): string {
  const { sources, graph } = project;
  const all = [
    ...graph.documents.map((document) => document.path),
    ...sources.envFiles,
    ...graph.units.flatMap((unit) => [unit.projectDirectory, ...unit.envFiles.map((file) => file.path)]),
    ...project.serviceFiles.map((file) => file.path),
  ];
  try {
    return projectRoot(sources.projectDirectory, all);
  } catch {
    return sources.projectDirectory;
  }
}
