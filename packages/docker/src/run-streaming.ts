import { pipeline } from "node:stream/promises";
import { StringDecoder } from "node:string_decoder";
import { execa } from "execa";
import {
  clientDidNotRun,
  commandOf,
  type DockerContext,
  type RunOptions,
  spawnOptions,
} from "./run-docker.ts";

/** Where a line came from. */
export type OutputStream = "stdout" | "stderr";

export interface StreamingOptions extends RunOptions {
  /** Each line without its end, as it comes. A longer one than 64 KiB comes in pieces. */
  onLine(line: string, stream: OutputStream): void;
}

const LONGEST_LINE = 64 * 1024;

/**
 * Runs `docker <args>` and hands its output on line by line; nothing of it is kept. Returns the exit code, whatever it is.
 * Throws `docker-missing`, and `docker-failed` where the client was ended by a signal.
 */
export async function runStreaming(
  context: DockerContext,
  args: readonly string[],
  options: StreamingOptions,
): Promise<number> {
  const [file, ...argv] = commandOf(context, args);
  const child = execa(file, argv, {
    ...spawnOptions(context, options),
    ...(options.input === undefined ? { stdin: "ignore" } : { input: options.input }),
    buffer: false,
  });
  const read = (stream: OutputStream) =>
    pipeline(
      child[stream],
      linesTo((line) => options.onLine(line, stream)),
    );
  const reading = Promise.allSettled([read("stdout"), read("stderr")]);
  const result = await child;
  // A client that was killed may leave a plugin behind that keeps its output open.
  if (!options.signal?.aborted) await reading;
  options.signal?.throwIfAborted();
  if (result.exitCode === undefined) throw clientDidNotRun(context, args, result);
  return result.exitCode;
}

function linesTo(onLine: (line: string) => void) {
  return async (chunks: AsyncIterable<Buffer>): Promise<void> => {
    const decoder = new StringDecoder("utf8");
    let rest = "";
    for await (const chunk of chunks) {
      const lines = (rest + decoder.write(chunk)).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) onLine(line.replace(/\r$/, ""));
      while (rest.length > LONGEST_LINE) {
        onLine(rest.slice(0, LONGEST_LINE));
        rest = rest.slice(LONGEST_LINE);
      }
    }
    if (rest !== "") onLine(rest);
  };
}

/** A client with its input and output as streams, for archives and connections. */
export function startClient(context: DockerContext, args: readonly string[], options: RunOptions = {}) {
  const [file, ...argv] = commandOf(context, args);
  return execa(file, argv, {
    ...spawnOptions(context, options),
    stdin: "pipe",
    buffer: { stdout: false },
    stripFinalNewline: true,
  });
}

export type Client = ReturnType<typeof startClient>;
