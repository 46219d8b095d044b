import { type ContainerFacts, inspectContainers } from "./containers.ts";
import { type DockerContext, type RunOptions, runDocker } from "./run-docker.ts";

/** The containers that a volume is mounted in, whosever they are, stopped ones too. Sorted by name. */
export async function listVolumeUsers(
  context: DockerContext,
  volume: string,
  options: RunOptions = {},
): Promise<ContainerFacts[]> {
  const args = ["ps", "--all", "--quiet", "--no-trunc", "--filter", `volume=${volume}`];
  const { stdout } = await runDocker(context, args, options);
  return inspectContainers(context, stdout.split("\n").filter(Boolean), options);
}
