import type { Readable } from "node:stream";
import { DrybagError } from "@drybag/errors";
import { execa } from "execa";

/** How to reach Docker. Made once, at the edge, from the process's environment. */
export interface DockerContext {
  /** The whole environment of the child: PATH, DOCKER_HOST, DOCKER_CONFIG, …; nothing is added to it. */
  env: Record<string, string | undefined>;
  /** The client to run. */
  command?: string;
  /** Compose as a program of its own, run in place of `docker compose`. */
  compose?: string;
}

export interface RunOptions {
  signal?: AbortSignal | undefined;
  /** Written to the client's stdin, which is closed otherwise. */
  input?: string;
  cwd?: string | undefined;
  /** Exit codes beside 0 that the caller can deal with. */
  allowExitCodes?: readonly number[];
  /** Gives up after this many milliseconds. */
  timeoutMs?: number;
  /** Added to the client's environment. */
  env?: Record<string, string>;
}

export interface DockerOutput {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** How long a client may take to end after SIGTERM before it is killed, in milliseconds. */
const KILL_DELAY_MS = 1000;
/** How long its output may stay open after that, in milliseconds. */
const STREAMS_DELAY_MS = 250;

/**
 * Runs `docker <args>` and returns what it printed.
 * Throws `docker-missing` where there is no client, `docker-failed` on any exit code that the caller did not allow.
 */
export async function runDocker(
  context: DockerContext,
  args: readonly string[],
  options: RunOptions = {},
): Promise<DockerOutput> {
  const limit = options.timeoutMs === undefined ? undefined : AbortSignal.timeout(options.timeoutMs);
  const signals = [options.signal, limit].filter((signal) => signal !== undefined);
  const signal = signals.length === 0 ? undefined : AbortSignal.any(signals);
  const [file, ...argv] = commandOf(context, args);
  const child = execa(file, argv, {
    ...spawnOptions(context, { ...options, signal }),
    ...(options.input === undefined ? { stdin: "ignore" } : { input: options.input }),
  });
  const result = await endedSoonAfter(signal, child).catch((error: unknown) => {
    options.signal?.throwIfAborted();
    throw limit?.aborted ? tookTooLong(args, options.timeoutMs ?? 0) : error;
  });
  options.signal?.throwIfAborted();
  if (limit?.aborted) throw tookTooLong(args, options.timeoutMs ?? 0);
  if (result.exitCode === undefined) throw clientDidNotRun(context, args, result);
  const output = { exitCode: result.exitCode, stdout: result.stdout, stderr: result.stderr };
  if (output.exitCode !== 0 && !options.allowExitCodes?.includes(output.exitCode)) {
    throw dockerFailed(args, output);
  }
  return output;
}

/**
 * What a child gives; but once it has been told to stop, no longer than it takes to kill it. A plugin such as Compose can outlive
 * the client that started it and hold on to its output.
 */
async function endedSoonAfter<T extends object>(
  signal: AbortSignal | undefined,
  child: Promise<T> & { stdout?: Readable | null; stderr?: Readable | null },
): Promise<T> {
  if (signal === undefined) return child;
  const { promise: overdue, reject } = Promise.withResolvers<never>();
  let timer: NodeJS.Timeout | undefined;
  const onAbort = () => {
    timer = setTimeout(() => {
      child.stdout?.destroy();
      child.stderr?.destroy();
      reject(signal.reason);
    }, KILL_DELAY_MS + STREAMS_DELAY_MS);
  };
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([child, overdue]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}

function tookTooLong(args: readonly string[], timeoutMs: number): DrybagError {
  const seconds = Math.round(timeoutMs / 1000);
  return new DrybagError("docker-failed", `'${commandLine(args)}' did not end within ${seconds} s.`, {
    hint: "Run it yourself to see what it waits for.",
  });
}

/** What is run for `docker <args>`. */
export function commandOf(
  context: DockerContext,
  args: readonly string[],
): [file: string, ...argv: string[]] {
  if (args[0] === "compose" && context.compose !== undefined) return [context.compose, ...args.slice(1)];
  return [clientOf(context), ...args];
}

export function clientOf(context: DockerContext): string {
  return context.command ?? "docker";
}

/** What every start of the client shares: this environment and no other, and a way to end it. */
export function spawnOptions(context: DockerContext, options: RunOptions) {
  return {
    env: { ...context.env, ...options.env },
    extendEnv: false,
    reject: false,
    forceKillAfterDelay: KILL_DELAY_MS,
    stripFinalNewline: true,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
  } as const;
}

interface FailedStart {
  code?: string | undefined;
  originalMessage?: string | undefined;
}

export function isClientMissing({ code }: FailedStart): boolean {
  return code === "ENOENT" || code === "EACCES";
}

/** The client never started, or was ended by a signal or by our own time limit. */
export function clientDidNotRun(
  context: DockerContext,
  args: readonly string[],
  result: FailedStart,
): DrybagError {
  if (isClientMissing(result)) {
    return new DrybagError("docker-missing", `There is no '${clientOf(context)}' command on this machine.`, {
      hint: "Install Docker Engine with its command line client and the Compose plugin, then run the same command again.",
    });
  }
  const why = result.originalMessage ?? "by a signal";
  return new DrybagError("docker-failed", `'${commandLine(args)}' was ended (${why}).`);
}

export function dockerFailed(args: readonly string[], output: DockerOutput): DrybagError {
  return new DrybagError(
    "docker-failed",
    `'${commandLine(args)}' failed with exit code ${output.exitCode}.`,
    {
      detail: lastLines(output.stderr || output.stdout),
    },
  );
}

/** The last lines of what Docker said, for people to read and never to decide on. */
export function lastLines(text: string, count = 8): string {
  return text.trimEnd().split("\n").slice(-count).join("\n");
}

/** A short form for messages: enough to know which call it was. */
function commandLine(args: readonly string[]): string {
  const shown = args.slice(0, 6).join(" ");
  return `docker ${shown}${args.length > 6 ? " …" : ""}`;
}
