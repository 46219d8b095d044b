import { pipeline } from "node:stream/promises";
import { execa } from "execa";
import { type ComposeFlags, composeArguments, refuseMissingCompose } from "./compose.ts";
import { clientDidNotRun, commandOf, type DockerContext, dockerFailed, spawnOptions } from "./run-docker.ts";

export interface ComposeLogsOptions {
  /** All when empty. */
  services: readonly string[];
  /** Last lines of each container; all when undefined. */
  tail: number | undefined;
  /** Go on until the signal, or until all containers have ended. */
  follow: boolean;
  signal: AbortSignal;
}

/** Writes what the services of a project wrote to a stream, as it comes. Throws `docker-failed`. */
export async function composeLogs(
  context: DockerContext,
  flags: ComposeFlags,
  output: NodeJS.WritableStream,
  { services, tail, follow, signal }: ComposeLogsOptions,
): Promise<void> {
  const args = [
    ...["compose", ...composeArguments(flags), "logs", "--no-color"],
    ...(tail === undefined ? [] : ["--tail", String(tail)]),
    ...(follow ? ["--follow"] : []),
    ...services,
  ];
  const [file, ...argv] = commandOf(context, args);
  const child = execa(file, argv, {
    ...spawnOptions(context, { signal, cwd: flags.cwd }),
    stdin: "ignore",
    buffer: { stdout: false },
  });
  const written = pipeline(child.stdout, output, { end: false });
  const [result] = await Promise.all([child, written.catch(() => undefined)]);
  signal.throwIfAborted();
  if (result.exitCode === undefined) throw clientDidNotRun(context, args, result);
  if (result.exitCode !== 0) {
    await refuseMissingCompose(context, result.exitCode, { signal });
    throw dockerFailed(args, { exitCode: result.exitCode, stdout: "", stderr: result.stderr });
  }
}
