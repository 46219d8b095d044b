import { readFile } from "node:fs/promises";
import path from "node:path";
import { type ComposeBuild, type ComposeFlags, composeArguments, inspectImage } from "@drybag/docker";
import type { BuildProvenance } from "@drybag/format";
import type { Progress } from "@drybag/terminal";
import { redactor } from "../git/redact.ts";
import type { ProjectCommit } from "../git/work-tree.ts";
import { serviceImage } from "../images/image-uses.ts";
import type { ProjectFlags } from "../options.ts";
import type { LoadedProject } from "../project/load-project.ts";
import { runBuild } from "./build-image.ts";
import { describeProvenance } from "./provenance.ts";
import { type BuiltImage, type RunBuildsOptions, requireNoTokens } from "./run-builds.ts";

/** Names of the services that Compose builds. */
export function builtServices(project: LoadedProject): string[] {
  return Object.entries(project.model.services ?? {})
    .filter(([, service]) => service.build)
    .map(([name]) => name);
}

/** Builds services with a `build:` section as Compose does it, in one go. Throws `build-failed`. */
export async function buildServices(
  services: readonly string[],
  {
    project,
    flags,
    commit,
  }: { project: LoadedProject; flags: ProjectFlags; commit: ProjectCommit | undefined },
  options: RunBuildsOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<BuiltImage[]> {
  const compose: ComposeFlags = {
    cwd: flags.cwd,
    files: project.sources.composeFiles,
    envFiles: project.sources.envFiles,
    profiles: ["*"],
    projectName: flags.projectName,
    projectDirectory: flags.projectDirectory,
  };
  const name = services.join(", ");
  const tokens = await secretsOf(project, services, options.docker.env);
  const logFile = options.logFile(services.length === 1 ? (services[0] ?? "") : "compose");
  const run = {
    name,
    args: [
      "compose",
      ...composeArguments(compose, "plain"),
      "build",
      ...(options.noCache ? ["--no-cache"] : []),
      ...services,
    ],
    env: { ...project.variables },
    cwd: flags.cwd,
    redact: redactor(tokens),
    logFile,
  };
  const log = await progress.stage(
    "build-compose",
    `Build ${name}`,
    (report) => runBuild(options.docker, run, report, signal),
    ({ steps }) => `${steps.filter(({ cached }) => cached).length} of ${steps.length} steps from the cache`,
  );
  const built: BuiltImage[] = [];
  for (const service of services) {
    const description = project.model.services?.[service];
    if (description === undefined) continue;
    const reference = serviceImage(project.model.name, service, description);
    const facts = await inspectImage(options.docker, reference, { signal });
    if (facts === undefined) continue;
    await requireNoTokens(options.docker, { name: service, references: [reference] }, tokens, signal);
    const steps = log.steps.filter((step) => services.length === 1 || step.name.startsWith(`[${service} `));
    built.push({
      name: service,
      references: [reference],
      id: facts.id,
      provenance: await provenanceOf(service, description.build ?? {}, commit, log, options.folder),
      steps: steps.length,
      cachedSteps: steps.filter(({ cached }) => cached).length,
      logFile,
      pushed: false,
      findings: [],
    });
  }
  return built;
}

/** Values of the secrets that Compose gives to these builds, as far as they are of one line: others are no tokens. */
async function secretsOf(
  { model }: LoadedProject,
  services: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<string[]> {
  const sources = services.flatMap((service) =>
    (model.services?.[service]?.build?.secrets ?? []).flatMap(({ source }) => source ?? []),
  );
  const values = await Promise.all(
    [...new Set(sources)].map(async (source) => {
      const { file, environment, content } = model.secrets?.[source] ?? {};
      if (file !== undefined) return readFile(file, "utf8").catch(() => undefined);
      return environment === undefined ? content : env[environment];
    }),
  );
  return values.flatMap((value) => value?.trim() || []).filter((value) => !value.includes("\n"));
}

async function provenanceOf(
  target: string,
  build: ComposeBuild,
  commit: ProjectCommit | undefined,
  log: Parameters<typeof describeProvenance>[1],
  folder: string,
): Promise<BuildProvenance> {
  const args = Object.entries(build.args ?? {}).flatMap(([name, value]) =>
    value === null ? [] : [[name, value] as const],
  );
  const context = build.context ?? folder;
  const isLocal = path.isAbsolute(context);
  const described = {
    target,
    commit,
    file: isLocal ? path.resolve(context, build.dockerfile ?? "Dockerfile") : undefined,
    text: build.dockerfile_inline,
    args: Object.fromEntries(args),
    contexts: build.additional_contexts ?? {},
  };
  return describeProvenance(described, log, folder);
}
