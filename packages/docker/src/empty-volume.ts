import { DrybagError } from "@drybag/errors";
import { type DockerContext, lastLines, type RunOptions, runDocker } from "./run-docker.ts";
import { removeHelper, VOLUME_FOLDER, type VolumeHelper } from "./volumes.ts";

/** One name after another: a folder can hold more than a command line. */
const REMOVE_ALL = `cd /${VOLUME_FOLDER} && for name in ..?* .[!.]* *; do rm -rf -- "$name" || exit 1; done`;

/** Whether an image has what it takes to empty a volume: a shell, and a program that removes files. */
export async function canEmptyVolumes(
  context: DockerContext,
  helper: VolumeHelper,
  options: RunOptions = {},
): Promise<boolean> {
  await removeHelper(context, helper.name);
  const { exitCode } = await runDocker(context, runArguments(helper, [], "command -v rm"), {
    ...options,
    // Of the program, and of an engine that cannot find it.
    allowExitCodes: [1, 125, 126, 127],
  });
  return exitCode === 0;
}

/**
 * Removes all that is in a volume, with a program of an image that has one: for volumes whose content stays when they are removed.
 * Throws `docker-failed`.
 */
export async function emptyVolume(
  context: DockerContext,
  { source, ...helper }: VolumeHelper & { source: string },
  options: RunOptions = {},
): Promise<void> {
  const mount = ["--volume", `${source}:/${VOLUME_FOLDER}:nocopy`];
  await removeHelper(context, helper.name);
  const output = await runDocker(context, runArguments(helper, mount, REMOVE_ALL), {
    ...options,
    allowExitCodes: [1],
  });
  if (output.exitCode === 0) return;
  throw new DrybagError("docker-failed", `The volume ${source} could not be emptied.`, {
    detail: lastLines(output.stderr),
  });
}

function runArguments(
  { image, name, label }: VolumeHelper,
  mount: readonly string[],
  script: string,
): string[] {
  const around = ["--rm", "--name", name, "--label", label, "--network", "none", "--pull", "never"];
  // A path, whatever the PATH of the image is; root, whatever its user is.
  return [
    ...["run", ...around, "--user", "0:0", "--workdir", "/", ...mount],
    ...["--entrypoint", "/bin/sh", image, "-c", script],
  ];
}
