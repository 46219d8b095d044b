import { parseArgs } from "node:util";
import { LabError } from "../lab-error.ts";
import type { EngineMajor, ImageStore } from "../lab-plan.ts";

export const commands = ["up", "down", "status", "env", "exec", "publish", "tool", "help"] as const;
export type Command = (typeof commands)[number];

export interface Arguments {
  command: Command;
  /** What follows the command: an engine's name, a tool's name; the first image to publish. */
  operand: string | undefined;
  /** Further images to publish. */
  more: string[];
  /** What follows `--`. */
  argv: string[];
  name: string;
  /** Undefined where the flag was not given: a lab that is there keeps what it has. */
  imageStore: ImageStore | undefined;
  engine: EngineMajor | undefined;
  site: string;
  connectedHost: boolean | undefined;
  json: boolean;
  purge: boolean;
}

/** @throws LabError `lab-usage`. */
export function parseArguments(args: readonly string[]): Arguments {
  const end = args.indexOf("--");
  const { values, positionals } = parse(end === -1 ? args : args.slice(0, end));
  const [command = "help", operand, ...rest] = positionals;
  if (values.help) return parseArguments(["help"]);
  if (rest.length > 0 && command !== "publish") throw usage(`unexpected argument: ${rest[0]}`);
  return {
    command: oneOf("command", command, commands),
    operand,
    more: rest,
    argv: end === -1 ? [] : args.slice(end + 1),
    name: values.name ?? "default",
    imageStore: optional("--image-store", values["image-store"], ["classic", "containerd"]),
    engine: optional("--engine", values.engine, ["28", "26", "20"]),
    site: values.site ?? "site",
    connectedHost: values["connected-host"],
    json: values.json ?? false,
    purge: values.purge ?? false,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        name: { type: "string" },
        "image-store": { type: "string" },
        engine: { type: "string" },
        site: { type: "string" },
        "connected-host": { type: "boolean" },
        json: { type: "boolean" },
        purge: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (cause) {
    throw usage((cause as Error).message.split(". ")[0] ?? "wrong arguments", cause);
  }
}

function optional<T extends string>(
  what: string,
  value: string | undefined,
  choices: readonly T[],
): T | undefined {
  return value === undefined ? undefined : oneOf(what, value, choices);
}

function oneOf<T extends string>(what: string, value: string, choices: readonly T[]): T {
  const choice = choices.find((candidate) => candidate === value);
  if (choice === undefined) throw usage(`${what} must be one of ${choices.join(", ")}, not ${value}`);
  return choice;
}

function usage(message: string, cause?: unknown): LabError {
  return new LabError("lab-usage", message, { hint: "see: scripts/lab help", cause });
}
