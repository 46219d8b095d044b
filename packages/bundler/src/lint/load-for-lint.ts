import type { DockerContext } from "@drybag/docker";
import { DrybagError, EXIT, type Finding, isDrybagError } from "@drybag/errors";
import type { Platform } from "@drybag/format";
import { type ComposeDocument, readComposeDocuments } from "../compose/compose-document.ts";
import type { ComposeGraph } from "../compose/compose-graph.ts";
import { findComposeFiles, type ProjectSources } from "../compose/find-compose-files.ts";
import type { ProjectFlags } from "../options.ts";
import { collectFiles } from "../project/collect-files.ts";
import {
  type LoadedProject,
  loadProject,
  type ProjectFiles,
  readProjectFiles,
} from "../project/load-project.ts";
import { lint, lintFilesOnly, sorted } from "./lint.ts";
import { failureFinding } from "./lint-failure.ts";
import { type LintProject, readLintProject } from "./lint-project.ts";
import { decisiveVariables } from "./rules/variables.ts";

/**
 * Reads a project and finds all there is to say about it. What packing would stop at is an error among the findings.
 * Throws only what has nothing to do with the files: `project-not-found`, `compose-missing`, …
 */
export async function lintProject(
  docker: DockerContext,
  flags: ProjectFlags,
  platform: Platform | undefined,
  signal: AbortSignal,
): Promise<Finding[]> {
  try {
    const loaded = await loadProject(docker, flags, signal);
    return await lintReadable(loaded, await readLintProject(loaded, docker.env, platform));
  } catch (error) {
    if (!isOfProject(error)) throw error;
    if (error.code === "setting-missing") return lintWithPlaceholders(docker, flags, platform, signal);
    return lintUnreadable(error, docker, flags, signal);
  }
}

function isOfProject(error: unknown): error is DrybagError {
  return isDrybagError(error) && error.exitCode === EXIT.project && error.code !== "project-not-found";
}

async function lintReadable(loaded: LoadedProject, project: LintProject): Promise<Finding[]> {
  const findings = sorted([...lint(project), ...loaded.findings]);
  if (findings.some(({ code }) => code === "file-missing") || project.decisiveVariables.length > 0)
    return findings;
  try {
    const files = await collectFiles(loaded);
    // Mounts have rules of their own, which know their places.
    return sorted([...findings, ...files.findings.filter(({ code }) => code !== "bind-outside-project")]);
  } catch (error) {
    // Something else about the files that packing would stop at, such as a link to outside the project.
    if (!isOfProject(error)) throw error;
    return sorted([...findings, failureFinding(error, project.graph)]);
  }
}

/** Compose is given something for variables that must have a value, so that the rest can be looked at. */
async function lintWithPlaceholders(
  docker: DockerContext,
  flags: ProjectFlags,
  platform: Platform | undefined,
  signal: AbortSignal,
): Promise<Finding[]> {
  const { graph, environment, unknownVariables } = await readProjectFiles(docker, flags, signal);
  const placeholders = Object.fromEntries(unknownVariables.map((name) => [name, "1"]));
  const decisive = decisiveVariables({ graph, unknownVariables });
  try {
    const filled = await loadProject({ ...docker, env: { ...docker.env, ...placeholders } }, flags, signal);
    const project = { ...filled, graph, environment, unknownVariables };
    return lintReadable(filled, await readLintProject(project, docker.env, platform, decisive));
  } catch (error) {
    if (!isOfProject(error)) throw error;
    return lintUnreadable(error, docker, flags, signal);
  }
}

/** The error itself, and what can be seen in the files without knowing what they mean together. */
async function lintUnreadable(
  error: DrybagError,
  docker: DockerContext,
  flags: ProjectFlags,
  signal: AbortSignal,
): Promise<Finding[]> {
  const { files, broken } = await readWhatCanBeRead(docker, flags, signal);
  const bare = { ...files, model: { name: "" }, unknownVariables: [], serviceFiles: [], config: undefined };
  const found = lintFilesOnly(await readLintProject(bare, docker.env));
  const failure = failureFinding(error, files.graph);
  const isKnown = [...found, ...broken].some((each) => each.severity === "error" && tellsOf(each, failure));
  return sorted([...found, ...broken, ...(isKnown ? [] : [failure])]);
}

/** Whether a finding says, better, what Compose said. */
function tellsOf({ code, position }: Finding, failure: Finding): boolean {
  if (code === "container-name-clash") return /container[ _]name/.test(failure.message);
  return position !== undefined && JSON.stringify(position) === JSON.stringify(failure.position);
}

type Readable = Pick<ProjectFiles, "sources" | "graph" | "environment">;

async function readWhatCanBeRead(
  docker: DockerContext,
  flags: ProjectFlags,
  signal: AbortSignal,
): Promise<{ files: Readable; broken: Finding[] }> {
  try {
    return { files: await readProjectFiles(docker, flags, signal), broken: [] };
  } catch (error) {
    if (!isOfProject(error)) throw error;
  }
  const sources = await findComposeFiles(flags, docker.env);
  const documents: ComposeDocument[] = [];
  const broken: Finding[] = [];
  for (const file of sources.composeFiles) {
    try {
      documents.push(...(await readComposeDocuments(file)));
    } catch (error) {
      if (!(error instanceof DrybagError)) throw error;
      broken.push(failureFinding(error, undefined));
    }
  }
  return { files: { sources, graph: graphOf(sources, documents), environment: {} }, broken };
}

/** The files that were named, without what they draw in. */
function graphOf(sources: ProjectSources, documents: ComposeDocument[]): ComposeGraph {
  const root = {
    documents,
    projectDirectory: sources.projectDirectory,
    environment: {},
    envFiles: [],
    includes: [],
    includedAt: undefined,
  };
  return { root, units: [root], extended: [], documents };
}
