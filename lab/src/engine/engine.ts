import { execa, type Options, type ResultPromise } from "execa";
import { namespaceFile } from "../system/network-namespace.ts";

/** A running Docker Engine of a lab. */
export interface Engine {
  name: string;
  role: "connected" | "site";
  /** As the engine reports it, for example `28.5.2+dfsg4`. */
  version: string;
  imageStore: "classic" | "containerd";
  socket: string;
  /** Name of its network namespace; undefined for the machine's own engine. */
  netns?: string;
  dataRoot: string;
  /** DOCKER_HOST, DOCKER_CONFIG with Compose and buildx, PATH with this version's docker first. */
  env: Record<string, string>;
  /** Runs `docker` against this engine, outside its namespace. */
  docker<T extends Options = Record<never, never>>(args: readonly string[], options?: T): ResultPromise<T>;
  /** Runs any command inside this engine's network namespace, with its environment. */
  exec<T extends Options = Record<never, never>>(argv: readonly string[], options?: T): ResultPromise<T>;
  /** The command line that `exec` starts, for those who start it themselves. */
  argv(argv: readonly string[]): [string, ...string[]];
}

export type EngineDescription = Omit<Engine, "docker" | "exec" | "argv">;

export function makeEngine(description: EngineDescription, nsenter: string): Engine {
  const { env, netns } = description;
  const argvInside = (argv: readonly string[]): [string, ...string[]] => {
    if (netns !== undefined) return [nsenter, `--net=${namespaceFile(netns)}`, "--", ...argv];
    const [file, ...args] = argv;
    return [file ?? "true", ...args];
  };
  const run = (argv: readonly [string, ...string[]], options: Options = {}) => {
    const [file, ...args] = argv;
    return execa(file, args, { ...options, env: { ...env, ...options.env } });
  };
  return {
    ...description,
    argv: argvInside,
    // Spreading the caller's options keeps their type, which the compiler cannot follow.
    docker: (args, options) => run(["docker", ...args], options) as never,
    exec: (argv, options) => run(argvInside(argv), options) as never,
  };
}
