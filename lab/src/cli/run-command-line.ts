import { tool } from "../debian/tool.ts";
import { labDown } from "../down.ts";
import type { LabEnvironment } from "../lab-environment.ts";
import { LabError } from "../lab-error.ts";
import { openEngine } from "../open-engine.ts";
import { publishImage } from "../publish-image.ts";
import { labStatus } from "../status.ts";
import { labUp } from "../up.ts";
import { formatEnvironment, formatStatus, formatUp, help } from "./format-output.ts";
import type { Arguments } from "./parse-arguments.ts";

export interface CommandContext {
  environment: LabEnvironment;
  signal: AbortSignal;
  print: (text: string) => void;
  progress: (line: string) => void;
  /** Puts a program in the place of this process, with additions to its environment. */
  become: (argv: readonly string[], env: Readonly<Record<string, string>>) => never;
}

/** Returns the exit code. */
export async function runCommandLine(args: Arguments, context: CommandContext): Promise<number> {
  switch (args.command) {
    case "up":
      return up(args, context);
    case "down":
      await labDown({ ...args, environment: context.environment, onProgress: context.progress });
      context.progress(`${args.name} is down`);
      return 0;
    case "status":
      return status(args, context);
    case "env":
      return env(args, context);
    case "exec":
      return exec(args, context);
    case "publish":
      return publish(args, context);
    case "tool":
      context.print(await tool(args.operand ?? "", { ...context, onProgress: context.progress }));
      return 0;
    case "help":
      context.print(help);
      return 0;
  }
}

async function up(args: Arguments, context: CommandContext): Promise<number> {
  const { name, connectedHost } = args;
  const wanted = { imageStore: args.imageStore, engine: args.engine };
  const sites = args.site === "site" ? { site: wanted } : { sites: [{ name: args.site, ...wanted }] };
  await labUp({
    name,
    connectedHost,
    ...sites,
    environment: context.environment,
    signal: context.signal,
    onProgress: context.progress,
  });
  const now = await labStatus({ name, environment: context.environment });
  context.print(args.json ? JSON.stringify(now, null, 2) : formatUp(now));
  return 0;
}

/** Exit code 3 when the lab is not up, as `systemctl status` has it. */
async function status(args: Arguments, context: CommandContext): Promise<number> {
  const now = await labStatus({ name: args.name, environment: context.environment });
  context.print(args.json ? JSON.stringify(now, null, 2) : formatStatus(now));
  return now.state === "up" ? 0 : 3;
}

async function env(args: Arguments, context: CommandContext): Promise<number> {
  const engine = await openEngine({
    name: args.name,
    engine: operand(args),
    environment: context.environment,
  });
  context.print(args.json ? JSON.stringify(engine.env, null, 2) : formatEnvironment(engine.env));
  return 0;
}

async function exec(args: Arguments, context: CommandContext): Promise<never> {
  const engine = await openEngine({
    name: args.name,
    engine: operand(args),
    environment: context.environment,
  });
  if (args.argv.length === 0) {
    throw new LabError("lab-usage", "no command", { hint: `scripts/lab exec ${engine.name} -- docker ps` });
  }
  return context.become(engine.argv(args.argv), engine.env);
}

async function publish(args: Arguments, context: CommandContext): Promise<number> {
  const { name, operand: first = "", more } = args;
  const engine = await openEngine({ name, engine: "connected", environment: context.environment });
  for (const reference of [first, ...more]) {
    await publishImage(engine, reference, context.signal);
    context.progress(`published ${reference}`);
  }
  return 0;
}

function operand(args: Arguments): string {
  if (args.operand !== undefined) return args.operand;
  throw new LabError("lab-usage", "which engine?", { hint: `scripts/lab ${args.command} connected|site` });
}
