import { type ContainerFacts, listProjectContainers } from "./containers.ts";
import { type DockerContext, type RunOptions, runDocker } from "./run-docker.ts";

export interface Recreation {
  /** The container that has the name of the time between. */
  id: string;
  /** The name that it was to have. */
  name: string;
  /** The one that it was to replace is gone. */
  isReplaced: boolean;
}

/**
 * Where Compose makes a container anew, the new one is called `<12 hex>_<name>` until the old one is gone (pkg/compose/convergence.go). A
 * Compose that was killed in between leaves it so, and the next one takes it for what it should be, whatever its name. Pure.
 */
export function planRecreations(
  containers: readonly Pick<ContainerFacts, "id" | "name" | "service">[],
): Recreation[] {
  return containers.flatMap(({ id, name: found, service }) => {
    const name = /^[0-9a-f]{12}_(.+)$/.exec(found)?.[1];
    if (name === undefined || service === undefined) return [];
    return [{ id, name, isReplaced: !containers.some((other) => other.name === name) }];
  });
}

/** Brings what a Compose that was killed has left to where its next run finds it: renamed, or removed where the old one is still there. */
export async function finishRecreations(
  context: DockerContext,
  projectName: string,
  options: RunOptions = {},
): Promise<void> {
  const containers = await listProjectContainers(context, projectName, options);
  for (const { id, name, isReplaced } of planRecreations(containers)) {
    // Without its volumes: those without a name are the old one's too.
    const args = isReplaced ? ["rename", id, name] : ["rm", "--force", id];
    await runDocker(context, args, { ...options, allowExitCodes: [1] });
  }
}
