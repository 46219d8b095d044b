import type { ExitCode } from "@drybag/errors";
import type { Command, OptionValues } from "commander";
import type { Progress } from "../progress.ts";

/** All that an action may know of the process around it. */
export interface RunContext {
  /** Aborted by the first SIGINT, SIGTERM or SIGHUP. */
  signal: AbortSignal;
  stdin: NodeJS.ReadStream;
  /** For the result, and nothing else. */
  stdout: NodeJS.WriteStream;
  /** For progress, warnings and questions. */
  stderr: NodeJS.WriteStream;
  env: NodeJS.ProcessEnv;
  /** Absolute. */
  cwd: string;
  /** `--json` was given: the result is one JSON value on stdout, progress is NDJSON on stderr. */
  json: boolean;
  /** Whether stderr is a terminal with a cursor to move. */
  isTerminal: boolean;
  /** Whether a person can be asked: stdin and stderr are terminals and `--json` was not given. */
  canAsk: boolean;
  /** Whether the terminal can show more than ASCII. */
  unicode: boolean;
  /** Progress on stderr in the form that fits. Closed by runMain if the action did not. */
  progress(stages?: readonly string[]): Progress;
  /** Runs something short, with a spinner in a terminal that vanishes afterwards. */
  wait<T>(text: string, run: () => Promise<T>): Promise<T>;
}

/** What runMain shares with the actions of its program. */
export interface RunState {
  context(command: Command): RunContext;
  exitCode: ExitCode;
}

const states = new WeakMap<Command, RunState>();

export function shareState(program: Command, state: RunState): void {
  states.set(program, state);
}

// biome-ignore lint/suspicious/noConfusingVoidType: an action returns nothing, or the exit code it wants.
type ActionResult = ExitCode | void;

/**
 * Makes a commander action of a function that gets its surroundings, the options (those of the program included) and then the
 * operands. It may return an exit code; it reports failure by throwing.
 *
 *     program.command("pack").argument("[folder]").action(run<PackFlags, [folder?: string]>(async (context, flags, folder) => …))
 */
export function run<Options extends object = OptionValues, Operands extends unknown[] = string[]>(
  action: (context: RunContext, options: Options, ...operands: Operands) => Promise<ActionResult>,
): (...commanderArguments: unknown[]) => Promise<void> {
  return async (...commanderArguments) => {
    const command = commanderArguments.at(-1) as Command;
    const operands = commanderArguments.slice(0, -2) as Operands;
    const state = states.get(rootOf(command));
    if (!state) throw new Error("the program of this command was not started by runMain");
    const exitCode = await action(state.context(command), command.optsWithGlobals() as Options, ...operands);
    if (exitCode !== undefined) state.exitCode = exitCode;
  };
}

function rootOf(command: Command): Command {
  return command.parent ? rootOf(command.parent) : command;
}
