import type { DockerContext } from "@drybag/docker";
import { isDrybagError } from "@drybag/errors";
import type { Config } from "../config/load-config.ts";
import { planProjectBuilds } from "./build-project.ts";

/**
 * The environment with the variables that the builds of drybag.yaml set, such as CUSTOM_TAG, for commands that read a project and build
 * nothing: Compose is told what it would be told after a build now. Where that cannot be known, as outside git, it is not told; `drybag
 * build` says why.
 */
export async function withBuildVariables(
  docker: DockerContext,
  config: Config | undefined,
  signal: AbortSignal,
): Promise<DockerContext> {
  const options = {
    ...{ environment: undefined, allowDirty: true, noCache: false, push: false },
    ...{ stateDirectory: "", ownFiles: [], version: config?.version },
  };
  try {
    const { variables } = await planProjectBuilds(docker, config?.project, options, signal);
    return { ...docker, env: { ...docker.env, ...variables } };
  } catch (error) {
    if (!isDrybagError(error)) throw error;
    return docker;
  }
}
