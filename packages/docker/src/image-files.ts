import type { Readable } from "node:stream";
import { execa } from "execa";
import { clientOf, type DockerContext, type RunOptions, runDocker, spawnOptions } from "./run-docker.ts";

/** The files of an image, through a container that never runs. Dispose of it afterwards. */
export interface ImageFiles extends AsyncDisposable {
  /**
   * A file or folder as a tar archive, its own name first in every entry; undefined where the image has none. Read it to its end.
   */
  copy(path: string): { archive: Readable; found: Promise<boolean> };
}

/** Throws `docker-failed`. */
export async function openImageFiles(
  context: DockerContext,
  reference: string,
  options: RunOptions = {},
): Promise<ImageFiles> {
  // The command is never run; images without one are refused otherwise.
  const { stdout } = await runDocker(context, ["create", "--pull", "never", reference, "true"], options);
  const id = stdout.trim().split("\n").at(-1) ?? "";
  return {
    copy(path) {
      const child = execa(clientOf(context), ["cp", `${id}:${path}`, "-"], {
        ...spawnOptions(context, options),
        stdin: "ignore",
        buffer: { stdout: false },
      });
      const found = child.then(({ exitCode }) => {
        options.signal?.throwIfAborted();
        return exitCode === 0;
      });
      found.catch(() => undefined);
      return { archive: child.stdout, found };
    },
    async [Symbol.asyncDispose]() {
      // Under its own time limit: an interrupted build must not leave it either.
      await runDocker(context, ["rm", "--force", "--volumes", id], {
        allowExitCodes: [1],
        timeoutMs: 60_000,
      });
    },
  };
}
