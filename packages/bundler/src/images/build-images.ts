import { ANY_FAILURE, type DockerContext, lastLines, runCompose } from "@drybag/docker";
import { DrybagError } from "@drybag/errors";
import type { ProjectFlags } from "../options.ts";
import type { LoadedProject } from "../project/load-project.ts";

/** Names of the services that Compose builds. */
export function builtServices(project: LoadedProject): string[] {
  return Object.entries(project.model.services ?? {})
    .filter(([, service]) => service.build)
    .map(([name]) => name);
}

/** Runs `docker compose build` for the services with a `build:` section. Throws `docker-failed` with the end of its log. */
export async function buildImages(
  docker: DockerContext,
  flags: ProjectFlags,
  project: LoadedProject,
  services: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const output = await runCompose(
    docker,
    {
      cwd: flags.cwd,
      files: project.sources.composeFiles,
      envFiles: project.sources.envFiles,
      profiles: ["*"],
      projectName: flags.projectName,
      projectDirectory: flags.projectDirectory,
      variables: project.variables,
    },
    ["build", ...services],
    { signal, allowExitCodes: ANY_FAILURE },
  );
  if (output.exitCode !== 0) {
    throw new DrybagError("docker-failed", `Building ${services.join(", ")} failed.`, {
      detail: lastLines(output.stderr || output.stdout, 20),
      hint: "'docker compose build' shows the whole log. --no-build packs the images that are there.",
    });
  }
}
