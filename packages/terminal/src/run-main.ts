import { EXIT, type ExitCode } from "@drybag/errors";
import { type Command, CommanderError } from "commander";
import { announce } from "./announce.ts";
import { supportsUnicode } from "./glyphs.ts";
import { createProgress, type Progress } from "./progress.ts";
import { type RunContext, type RunState, shareState } from "./run-main/context.ts";
import { explainError } from "./run-main/explain-error.ts";
import { listenForSignals } from "./run-main/interruption.ts";
import { prepareProgram } from "./run-main/prepare-program.ts";
import { assumeSize } from "./terminal-size.ts";
import { wait } from "./wait.ts";

const SHOW_CURSOR = "\u001b[?25h";

export interface MainOptions {
  /** process.argv as it is. */
  argv: readonly string[];
  name: string;
  version: string;
  /** What a person typed to start it, where that is not its name. */
  calledAs?: string | undefined;
}

/**
 * The top of a command line program, and the only place that reads the process: runs the program's action, tells errors to
 * people or programs, turns signals into an AbortSignal, and ends the process when all output is out. Start it with `void`:
 * it ends the process itself, and the installer, being CommonJS, has no top-level await.
 */
export async function runMain(
  program: Command,
  { argv, name, version, calledAs }: MainOptions,
): Promise<never> {
  const words = argv.slice(2);
  const flags = flagsOf(words);
  const unicode = supportsUnicode(process.env);
  const open: Progress[] = [];

  const exit = guardExit(name);
  ignoreBrokenPipes();
  for (const stream of [process.stdout, process.stderr]) assumeSize(stream);
  const signal = listenForSignals({
    onFirst: () => announce(process.stderr, `${name}: stopping cleanly; press Ctrl-C again to kill`),
    onSecond: () => {
      if (process.stderr.isTTY) process.stderr.write(SHOW_CURSOR);
      exit(EXIT.interrupted);
    },
  });
  const report = (error: unknown): ExitCode => {
    const explained = explainError(error, { name, aborted: signal.aborted, debug: flags.debug, unicode });
    if (flags.json) process.stdout.write(`${JSON.stringify(explained.json)}\n`);
    if (!flags.json || flags.debug) process.stderr.write(`${explained.lines.join("\n")}\n`);
    return explained.exitCode;
  };
  process.on("uncaughtException", (error) => {
    const exitCode = report(error);
    void flush().then(() => exit(exitCode));
  });

  const state: RunState = {
    exitCode: EXIT.ok,
    context: (command) => createContext({ command, signal, unicode, open }),
  };
  prepareProgram(program, { name, version, calledAs });
  shareState(program, state);

  const exitCode = await attempt(async () => {
    try {
      await program.parseAsync(words, { from: "user" });
    } finally {
      for (const progress of open) await progress.close();
    }
    return state.exitCode;
  }, report);
  await flush();
  return exit(exitCode);
}

async function attempt(
  run: () => Promise<ExitCode>,
  report: (error: unknown) => ExitCode,
): Promise<ExitCode> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof CommanderError)) return report(error);
    // Help or version, printed already. Help that was not asked for stands for a command that is missing.
    return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  }
}

interface ContextParts {
  command: Command;
  signal: AbortSignal;
  unicode: boolean;
  open: Progress[];
}

function createContext({ command, signal, unicode, open }: ContextParts): RunContext {
  const { stdin, stdout, stderr, env } = process;
  const json = command.optsWithGlobals().json === true;
  const isTerminal = stderr.isTTY === true && env.TERM !== "dumb";
  const mode = json ? "json" : isTerminal ? "terminal" : "plain";
  return {
    signal,
    stdin,
    stdout,
    stderr,
    env,
    cwd: process.cwd(),
    json,
    isTerminal,
    canAsk: stdin.isTTY === true && stderr.isTTY === true && !json,
    unicode,
    progress(stages = []) {
      const progress = createProgress({ mode, stream: stderr, stages, unicode });
      open.push(progress);
      return progress;
    },
    wait: (text, run) => wait(text, { stream: stderr, isTerminal: isTerminal && !json, unicode }, run),
  };
}

/** Needed before anything is parsed, and where parsing fails. */
function flagsOf(words: readonly string[]): { json: boolean; debug: boolean } {
  const end = words.indexOf("--");
  const flags = end < 0 ? words : words.slice(0, end);
  return { json: flags.includes("--json"), debug: flags.includes("--debug") };
}

/**
 * Whoever reads our output may stop before the end (`| head`), and a closed terminal takes stderr along. Neither is a reason
 * to break off an install in the middle.
 */
function ignoreBrokenPipes(): void {
  process.stdout.on("error", () => {});
  process.stderr.on("error", () => {});
}

/**
 * Node leaves with exit code 0 when nothing is left to wait for, even where the program has not come to its end. That must
 * not pass for success.
 */
function guardExit(name: string): (exitCode: ExitCode) => never {
  let ended = false;
  process.once("exit", () => {
    if (ended) return;
    process.stderr.write(`${name}: stopped before its end\nthis is a defect\n`);
    process.exitCode = EXIT.internal;
  });
  return (exitCode) => {
    ended = true;
    process.exit(exitCode);
  };
}

/** Resolves when all that was written has left the process; a reader that is gone counts too. */
async function flush(): Promise<void> {
  const streams = [process.stdout, process.stderr];
  await Promise.all(
    streams.map((stream) => new Promise<void>((resolve) => stream.write("", () => resolve()))),
  );
}
