import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { ComposeModel } from "@drybag/docker";
import type { Finding } from "@drybag/errors";
import type { Platform } from "@drybag/format";
import { readComposeGraph } from "../../compose/compose-graph.ts";
import { readEnvFile } from "../../compose/env-file.ts";
import { variablesOf } from "../../compose/variables-of.ts";
import type { ProjectConfig } from "../../config/project-config.ts";
import { readLintProject } from "../lint-project.ts";
import type { Rule } from "../rule.ts";
import { decisiveVariables } from "../rules/variables.ts";
import { sketchModel } from "./sketch-model.ts";

export interface LintOptions {
  /** Compose files in their order; default: compose.yaml. */
  compose?: string[];
  /** Service env files, as Compose would have merged them. */
  serviceEnvFiles?: string[];
  profiles?: string[];
  platform?: Platform;
  own?: Record<string, string>;
  config?: ProjectConfig;
  /** Whether variables without a value choose an image or a file. */
  decisive?: boolean;
}

/** What one rule finds in a project of the given files; one text is its compose.yaml. `.env` is read if it is there. */
export async function lintFiles(
  rule: Rule,
  given: string | Record<string, string>,
  options: LintOptions = {},
): Promise<Finding[]> {
  const files = typeof given === "string" ? { "compose.yaml": given } : given;
  const folder = await mkdtemp(path.join(tmpdir(), "drybag-lint-"));
  try {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
      if (!name.endsWith("/")) await writeFile(path.join(folder, name), text);
    }
    const findings = rule.check(await readProject(folder, options));
    return findings.map((finding) => relative(finding, folder));
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** `compose.yaml:3:12 warning moving-tag`. */
export function places(findings: readonly Finding[]): string[] {
  return findings.map(({ position, severity, code }) => {
    const place = position ? `${position.file}:${position.line}:${position.column}` : "-";
    return `${place} ${severity} ${code}`;
  });
}

async function readProject(folder: string, options: LintOptions) {
  const envFile = path.join(folder, ".env");
  const values = (await readEnvFile(envFile))?.values;
  const environment = { ...values, ...options.own };
  const composeFiles = (options.compose ?? ["compose.yaml"]).map((file) => path.join(folder, file));
  const sources = {
    projectDirectory: folder,
    composeFiles,
    envFiles: values ? [envFile] : [],
    profiles: options.profiles ?? [],
  };
  const graph = await readComposeGraph(composeFiles, folder, environment);
  const uses = graph.documents.flatMap(variablesOf).filter((use) => use.required && !environment[use.name]);
  const unknownVariables = [...new Set(uses.map((use) => use.name))];
  const placeholders = Object.fromEntries(unknownVariables.map((name) => [name, "1"]));
  const model: ComposeModel = await sketchModel(
    composeFiles,
    folder,
    { ...environment, ...placeholders },
    sources.profiles,
  );
  const serviceFiles = (options.serviceEnvFiles ?? []).map((file) => path.join(folder, file));
  const project = {
    sources,
    model,
    graph,
    environment,
    unknownVariables,
    serviceFiles: serviceFiles.map((file) => ({ path: file, required: true })),
    config: options.config,
  };
  const decisive = options.decisive ? decisiveVariables(project) : [];
  return readLintProject(project, options.own ?? {}, options.platform, decisive);
}

function relative(finding: Finding, folder: string): Finding {
  const { message, position } = finding;
  return {
    ...finding,
    message: message.replaceAll(`${folder}/`, ""),
    ...(position && { position: { ...position, file: path.relative(folder, position.file) } }),
  };
}
