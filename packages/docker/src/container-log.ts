import type { Readable } from "node:stream";
import { execa } from "execa";
import { clientDidNotRun, clientOf, type DockerContext, dockerFailed, spawnOptions } from "./run-docker.ts";

export interface ContainerLog {
  /** Both streams as they come, a time in front of each line. */
  log: Readable;
  /** Settles when the client has ended. Rejects with `docker-failed`, for instance where the log driver keeps nothing to read. */
  done: Promise<void>;
}

/** The last lines that a container wrote, on a stream: however long they are, they are not held in memory. */
export function openContainerLog(
  context: DockerContext,
  id: string,
  { tail, signal }: { tail: number; signal: AbortSignal },
): ContainerLog {
  const args = ["logs", "--timestamps", "--tail", String(tail), id];
  const child = execa(clientOf(context), args, {
    ...spawnOptions(context, { signal }),
    stdin: "ignore",
    all: true,
    buffer: false,
  });
  const done = child.then((result) => {
    signal.throwIfAborted();
    if (result.exitCode === undefined) throw clientDidNotRun(context, args, result);
    if (result.exitCode !== 0) {
      throw dockerFailed(args, { exitCode: result.exitCode, stdout: "", stderr: "" });
    }
  });
  done.catch(() => undefined);
  return { log: child.all, done };
}
