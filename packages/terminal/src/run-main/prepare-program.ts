import { DrybagError } from "@drybag/errors";
import type { Command, CommanderError } from "commander";
import type { MainOptions } from "../run-main.ts";

/** A usage error together with the command that it is about, so that the hint names the right help page. */
type UsageError = (error: CommanderError, command: Command, calledAs: string) => never;

/**
 * Gives a program the options that all have, and takes commander's habit of printing and exiting from it and all its commands:
 * everything ends as an exception here.
 */
export function prepareProgram(
  program: Command,
  { name, version, calledAs = name }: Omit<MainOptions, "argv">,
): void {
  program.name(name);
  program.version(`${name} ${version}`, "-V, --version", "print the version");
  addOption(program, "--json", "print the result as JSON; progress as NDJSON on stderr");
  addOption(program, "--debug", "print the full trace of an error");
  visit(program, (command) => {
    command.helpOption("-h, --help", "print this help");
    command.configureHelp({ ...command.configureHelp(), showGlobalOptions: true });
    command.configureOutput({ outputError: () => {} });
    command.exitOverride((error) => refuse(error, command, calledAs));
  });
}

function addOption(program: Command, flag: string, description: string): void {
  if (!program.options.some(({ long }) => long === flag)) program.option(flag, description);
}

function visit(command: Command, prepare: (command: Command) => void): void {
  prepare(command);
  for (const child of command.commands) visit(child, prepare);
}

const refuse: UsageError = (error, command, calledAs) => {
  // Help and version that were asked for come this way too, with exit code 0.
  if (error.exitCode === 0 || error.code === "commander.help") throw error;
  throw new DrybagError("usage", usageMessage(error.message), {
    hint: `see ${commandPath(command, calledAs)} --help`,
  });
};

/** commander: `error: unknown option '--foo'\n(Did you mean --fool?)`; ours: one line. */
function usageMessage(message: string): string {
  return message
    .replace(/^error: /, "")
    .replace(/\n\(Did you mean (.*)\?\)$/, " (did you mean $1?)")
    .replace(/\s*\n\s*/g, " ");
}

function commandPath(command: Command, calledAs: string): string {
  return command.parent ? `${commandPath(command.parent, calledAs)} ${command.name()}` : calledAs;
}
