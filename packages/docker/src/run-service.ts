import { type ComposeFlags, composeArguments } from "./compose.ts";
import { type CommandInContainer, execArguments } from "./exec.ts";
import { type DockerContext, type RunOptions, runDocker } from "./run-docker.ts";
import { type OutputStream, runStreaming } from "./run-streaming.ts";

/**
 * Runs a command in a new container of a service, which is removed afterwards, with nothing of what the service's own entrypoint would
 * do left out: `docker compose run`. Returns its exit code. Ended early, `removeContainer` takes the container away.
 */
export async function runInService(
  context: DockerContext,
  flags: ComposeFlags,
  target: { service: string; containerName: string },
  command: CommandInContainer,
  options: RunOptions & { onLine(line: string, stream: OutputStream): void },
): Promise<number> {
  const args = [
    ...["compose", ...composeArguments(flags), "run", "--rm", "--no-deps", "--no-TTY"],
    ...["--name", target.containerName, ...execArguments(command), target.service, ...command.command],
  ];
  return runStreaming(context, args, {
    ...options,
    cwd: flags.cwd,
    env: { ...flags.variables, ...options.env, ...command.secrets },
  });
}

/** Ends and removes a container with its anonymous volumes; one that is not there is no error. */
export async function removeContainer(
  context: DockerContext,
  name: string,
  options: RunOptions = {},
): Promise<void> {
  await runDocker(context, ["rm", "--force", "--volumes", name], { ...options, allowExitCodes: [1] });
}

/** Names of the containers that `docker compose run` made for a project, running or not. */
export async function listOneOffContainers(
  context: DockerContext,
  projectName: string,
  options: RunOptions = {},
): Promise<string[]> {
  const filters = [`label=com.docker.compose.project=${projectName}`, "label=com.docker.compose.oneoff=True"];
  const { stdout } = await runDocker(
    context,
    ["ps", "--all", "--format", "{{.Names}}", ...filters.flatMap((filter) => ["--filter", filter])],
    options,
  );
  return stdout.split("\n").filter(Boolean);
}
