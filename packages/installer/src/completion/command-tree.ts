import type { Command } from "commander";

/** A command line as far as completion is concerned. */
export interface CommandTree {
  program: string;
  /** Those that may stand before the command. */
  options: CompletableOption[];
  commands: CompletableCommand[];
}

export interface CompletableCommand {
  name: string;
  description: string;
  options: CompletableOption[];
  /** What its first operand is. */
  operand: "stack" | "folder" | "shell" | "none";
}

export interface CompletableOption {
  long: string;
  short: string | undefined;
  description: string;
  /** What follows it. */
  value: "file" | "folder" | "text" | "none";
}

/** Reads the commands and options of a program, so that completion never lags behind them. */
export function commandTree(program: Command): CommandTree {
  const shared = program.options.map(completableOption);
  return {
    program: program.name(),
    options: shared,
    commands: program.commands.map((command) => ({
      name: command.name(),
      description: command.description(),
      options: [
        ...command.options.map(completableOption),
        ...shared,
        { long: "--help", short: "-h", description: "print this help", value: "none" },
      ],
      operand: operandOf(command),
    })),
  };
}

function completableOption(option: Command["options"][number]): CompletableOption {
  const placeholder = /<(.+)>|\[(.+)\]/.exec(option.flags)?.[1];
  return {
    long: option.long ?? "",
    short: option.short,
    description: option.description,
    value: placeholder === undefined ? "none" : isPath(placeholder) ? placeholder : "text",
  };
}

function isPath(placeholder: string): placeholder is "file" | "folder" {
  return placeholder === "file" || placeholder === "folder";
}

function operandOf(command: Command): CompletableCommand["operand"] {
  const name = command.registeredArguments[0]?.name();
  if (name === "name") return "stack";
  if (name === "carry-folder") return "folder";
  return name === "shell" ? "shell" : "none";
}
