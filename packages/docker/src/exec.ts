import { type DockerContext, type RunOptions, runDocker } from "./run-docker.ts";
import { type OutputStream, runStreaming } from "./run-streaming.ts";

/** A command in a container. */
export interface CommandInContainer {
  command: readonly string[];
  user?: string | undefined;
  workingDirectory?: string | undefined;
  /** Variables that may stand on a command line. */
  environment?: Readonly<Record<string, string>>;
  /** Variables whose values are handed to the client in its environment, and never on a command line. */
  secrets?: Readonly<Record<string, string>>;
}

export interface ExecOptions extends RunOptions {
  onLine(line: string, stream: OutputStream): void;
  /** The process in the container has started, under this number there; not called where the image has no shell. */
  onStarted?(pid: number): void;
}

const PID_MARK = "drybag-process";
/** Tells its number, then becomes the command: every process that `exec` starts leads a group of its own. */
const WRAPPER = ["sh", "-c", `echo "${PID_MARK} $$" >&2; exec "$@"`, "sh"];
/** What the client ends with where the program could not be started. */
const NOT_STARTED: ReadonlySet<number> = new Set([126, 127]);

/** Runs a command in a running container. Returns its exit code. */
export async function execInContainer(
  context: DockerContext,
  container: string,
  command: CommandInContainer,
  options: ExecOptions,
): Promise<number> {
  let hasShell = false;
  const held: [string, OutputStream][] = [];
  const onLine = (line: string, stream: OutputStream) => {
    const pid = hasShell || stream === "stdout" ? undefined : pidIn(line);
    if (pid !== undefined) {
      hasShell = true;
      options.onStarted?.(pid);
    } else if (hasShell || stream === "stdout") options.onLine(line, stream);
    else held.push([line, stream]);
  };
  const args = (argv: readonly string[]) => ["exec", ...execArguments(command), container, ...argv];
  const env = { ...options.env, ...command.secrets };
  const wrapped = [...WRAPPER, ...command.command];
  const exitCode = await runStreaming(context, args(wrapped), { ...options, env, onLine });
  if (hasShell || !NOT_STARTED.has(exitCode)) {
    for (const [line, stream] of held) options.onLine(line, stream);
    return exitCode;
  }
  return runStreaming(context, args(command.command), { ...options, env });
}

function pidIn(line: string): number | undefined {
  const match = new RegExp(`^${PID_MARK} (\\d+)$`).exec(line);
  return match ? Number(match[1]) : undefined;
}

/** Also of `compose run`, but for what comes before and after. */
export function execArguments({
  user,
  workingDirectory,
  environment = {},
  secrets = {},
}: CommandInContainer): string[] {
  return [
    ...(user === undefined ? [] : ["--user", user]),
    ...(workingDirectory === undefined ? [] : ["--workdir", workingDirectory]),
    ...Object.entries(environment).flatMap(([name, value]) => ["--env", `${name}=${value}`]),
    ...Object.keys(secrets).flatMap((name) => ["--env", name]),
  ];
}

/**
 * Ends a process that `execInContainer` started, with its group: the client's end does not end it. `mark` is a variable and its value
 * that the process must have, so that a number that was given again harms nobody.
 */
export async function killInContainer(
  context: DockerContext,
  container: string,
  { pid, mark }: { pid: number; mark: string },
  options: RunOptions = {},
): Promise<void> {
  const script = 'case "$(cat "/proc/$1/environ")" in *"$2"*) kill -9 "-$1" ;; esac';
  await runDocker(context, ["exec", "--user", "0", container, "sh", "-c", script, "sh", String(pid), mark], {
    ...options,
    allowExitCodes: Array.from({ length: 255 }, (_, index) => index + 1),
  });
}
