import { type DockerContext, type RunOptions, runDocker } from "./run-docker.ts";

/**
 * Stops and removes the containers and networks of a project, by name alone: its Compose files need not be there. Volumes stay unless
 * they are to go too; those without a name can only be told while their containers are there. That nothing is there is no error.
 */
export async function composeDown(
  context: DockerContext,
  projectName: string,
  { withVolumes = false, ...options }: RunOptions & { withVolumes?: boolean } = {},
): Promise<void> {
  const args = ["--ansi=never", "--progress=quiet", "--project-name", projectName];
  const volumes = withVolumes ? ["--volumes"] : [];
  await runDocker(context, ["compose", ...args, "down", "--remove-orphans", ...volumes], options);
}

/** Volumes that Compose made for a project, by name; external ones are not among them. */
export async function listProjectVolumes(
  context: DockerContext,
  projectName: string,
  options: RunOptions = {},
): Promise<string[]> {
  const filter = `label=com.docker.compose.project=${projectName}`;
  const { stdout } = await runDocker(context, ["volume", "ls", "--quiet", "--filter", filter], options);
  return stdout.split("\n").filter(Boolean).sort();
}

/** Removes a volume and all data in it. Throws `docker-failed`, for instance where a container still uses it. */
export async function removeVolume(
  context: DockerContext,
  name: string,
  options: RunOptions = {},
): Promise<void> {
  await runDocker(context, ["volume", "rm", name], options);
}
