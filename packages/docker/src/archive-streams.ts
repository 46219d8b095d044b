import { Writable } from "node:stream";
import { DrybagError } from "@drybag/errors";
import { execa } from "execa";
import { openOutputPipe } from "./output-pipe.ts";
import {
  clientDidNotRun,
  clientOf,
  type DockerContext,
  isClientMissing,
  lastLines,
  type RunOptions,
  spawnOptions,
} from "./run-docker.ts";

export interface ImageSave {
  /** The archive, as the engine makes it, in pieces that are good until the next one is asked for. */
  archive: AsyncIterable<Buffer>;
  /** Settles when the client has ended. Rejects with `docker-failed`. */
  done: Promise<void>;
  /** Takes no more of it, and ends the client. */
  close(): void;
}

/**
 * Saves images by tag into one archive, on a stream.
 * Save by tag only: by ID the classic store loses names, and all images but one.
 */
export async function saveImages(
  context: DockerContext,
  tags: readonly string[],
  options: RunOptions & { platform?: string } = {},
): Promise<ImageSave> {
  const platform = options.platform === undefined ? [] : ["--platform", options.platform];
  const args = ["image", "save", ...platform, ...tags];
  const pipe = await openOutputPipe();
  const child = execa(clientOf(context), args, {
    ...spawnOptions(context, options),
    stdin: "ignore",
    stdout: pipe.writeEnd,
  });
  // The child has its own: the pipe ends when that one does.
  pipe.writeEnd.destroy();
  const done = child.then((result) => {
    options.signal?.throwIfAborted();
    if (result.exitCode === undefined) throw clientDidNotRun(context, args, result);
    if (result.exitCode !== 0) {
      throw new DrybagError(
        "docker-failed",
        `'docker image save' failed with exit code ${result.exitCode}.`,
        {
          detail: lastLines(result.stderr),
        },
      );
    }
  });
  done.catch(() => undefined);
  const close = () => {
    pipe.close();
    // It would not notice before the engine gives it more.
    child.kill("SIGKILL");
  };
  return { archive: pipe.chunks, done, close };
}

/** How long a client that takes no more input may take to say why and end, in milliseconds. */
const LAST_WORDS_MS = 5000;

export interface ImageLoad {
  /**
   * Takes a Docker image archive. Ending it completes the load. Destroying it before kills the client, so that the engine sees a
   * connection that broke off and registers nothing; a plain end of input could be taken for the end of the archive.
   */
  input: Writable;
  /** Settles when the client has ended; gives what it printed. Rejects with `load-failed`. */
  done: Promise<string>;
  /** Kills the client, also when it has all of the archive. */
  abort(): void;
}

/**
 * Starts `docker load` and gives the stream to write the archive to. An exit code of 0 does not mean that all went well:
 * a containerd store says 0 for images that it could not unpack. Inspect every image afterwards.
 */
export function loadImages(context: DockerContext): ImageLoad {
  const args = ["image", "load"];
  const child = execa(clientOf(context), args, { ...spawnOptions(context, {}), stdin: "pipe" });
  let hangUp: NodeJS.Timeout | undefined;
  const abort = () => {
    // A client that has closed its input is about to say why: that is the cause, and killing it would lose it.
    if (hangUp === undefined) child.kill("SIGKILL");
  };
  const noteHangUp = () => {
    hangUp ??= setTimeout(() => child.kill("SIGKILL"), LAST_WORDS_MS).unref();
  };
  const input = new Writable({
    write(chunk, _encoding, callback) {
      child.stdin.write(chunk, (error) => {
        if (error) noteHangUp();
        callback(error);
      });
    },
    final: (callback) => void child.stdin.end(callback),
    destroy(error, callback) {
      if (!input.writableFinished) abort();
      child.stdin.destroy();
      callback(error);
    },
  });
  child.stdin.on("error", (error) => {
    noteHangUp();
    input.destroy(error);
  });
  const done = child.then((result) => {
    clearTimeout(hangUp);
    if (!input.writableFinished) input.destroy();
    if (isClientMissing(result)) throw clientDidNotRun(context, args, result);
    if (result.exitCode !== 0) {
      throw new DrybagError("load-failed", "The engine did not take the images.", {
        detail: lastLines(result.stderr || result.stdout),
      });
    }
    return result.stdout;
  });
  done.catch(() => undefined);
  return { input, done, abort };
}
