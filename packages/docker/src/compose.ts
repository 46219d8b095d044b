import { DrybagError } from "@drybag/errors";
import {
  type DockerContext,
  type DockerOutput,
  lastLines,
  type RunOptions,
  runDocker,
} from "./run-docker.ts";

/** The flags that choose a project, as Compose itself takes them. */
export interface ComposeFlags {
  files?: readonly string[];
  envFiles?: readonly string[];
  profiles?: readonly string[];
  projectName?: string | undefined;
  projectDirectory?: string | undefined;
  /** Working folder of the client: relative paths and the search for compose.yaml start here. */
  cwd?: string | undefined;
  /** Values of variables that win over env files. */
  variables?: Readonly<Record<string, string>> | undefined;
}

/** Version of the Compose plugin, e.g. `2.40.3`. Throws `compose-missing`. */
export async function readComposeVersion(context: DockerContext, options: RunOptions = {}): Promise<string> {
  const { exitCode, stdout } = await runDocker(context, ["compose", "version", "--short"], {
    ...options,
    allowExitCodes: [1, 125],
  });
  // A client without the plugin takes `compose` for a command of its own that it does not know.
  if (exitCode !== 0 || !/^v?\d/.test(stdout)) {
    throw new DrybagError("compose-missing", "The Compose plugin of Docker is not on this machine.", {
      hint: "Install it (package docker-compose-plugin, or docker-compose on Debian) and see that 'docker compose version' answers.",
    });
  }
  return stdout.replace(/^v/, "");
}

/** What a client without the plugin ends with, among others: it takes Compose's flags for its own. */
const NOT_UNDERSTOOD = 125;

/** Throws `compose-missing` where that is why a command of Compose failed. */
export async function refuseMissingCompose(
  context: DockerContext,
  exitCode: number,
  { signal }: RunOptions = {},
): Promise<void> {
  if (exitCode === NOT_UNDERSTOOD) await readComposeVersion(context, { signal });
}

export interface ComposeOutput extends DockerOutput {}

/** Runs `docker compose <project flags> <args>`. */
export async function runCompose(
  context: DockerContext,
  flags: ComposeFlags,
  args: readonly string[],
  options: RunOptions = {},
): Promise<ComposeOutput> {
  return runDocker(context, ["compose", ...composeArguments(flags), ...args], {
    ...options,
    cwd: flags.cwd,
    env: { ...flags.variables, ...options.env },
  });
}

/** The flags as arguments. */
export function composeArguments(flags: ComposeFlags, progress: "quiet" | "plain" = "quiet"): string[] {
  return [
    "--ansi=never",
    `--progress=${progress}`,
    ...(flags.projectDirectory === undefined ? [] : ["--project-directory", flags.projectDirectory]),
    ...(flags.projectName === undefined ? [] : ["--project-name", flags.projectName]),
    ...(flags.files ?? []).flatMap((file) => ["--file", file]),
    ...(flags.envFiles ?? []).flatMap((file) => ["--env-file", file]),
    ...(flags.profiles ?? []).flatMap((profile) => ["--profile", profile]),
  ];
}

/**
 * The project as Compose understands it: merged, interpolated, paths made absolute. Holds secrets: never print it.
 * Throws `project-invalid` with what Compose said.
 */
export async function readComposeModel(
  context: DockerContext,
  flags: ComposeFlags,
  options: RunOptions = {},
): Promise<ComposeModel> {
  return JSON.parse(unescapeDollars(await readConfig(context, flags, [], options))) as ComposeModel;
}

/** The project merged, with its variables as they are written; names env files and label files, which the full model forgets. */
export async function readRawComposeModel(
  context: DockerContext,
  flags: ComposeFlags,
  options: RunOptions = {},
): Promise<RawComposeModel> {
  return JSON.parse(await readConfig(context, flags, ["--no-interpolate"], options)) as RawComposeModel;
}

/** Compose reads hundreds of services in a second; beyond this it is in a loop. */
const CONFIG_TIMEOUT_MS = 120_000;

async function readConfig(
  context: DockerContext,
  flags: ComposeFlags,
  args: readonly string[],
  options: RunOptions,
): Promise<string> {
  const output = await runCompose(context, flags, ["config", ...args, "--format", "json"], {
    timeoutMs: CONFIG_TIMEOUT_MS,
    ...options,
    allowExitCodes: ANY_FAILURE,
  });
  if (output.exitCode !== 0) {
    await refuseMissingCompose(context, output.exitCode, options);
    throw new DrybagError("project-invalid", "Docker Compose cannot read the project.", {
      detail: lastLines(output.stderr, 6),
      hint: "Mend what it names; 'docker compose config' shows the same.",
    });
  }
  return output.stdout;
}

/**
 * `config` doubles every dollar sign, so that its output could be read as a Compose file again. Should a version not do so, an odd
 * number of them shows it.
 */
export function unescapeDollars(text: string): string {
  const runs = text.match(/\$+/g) ?? [];
  return runs.every((run) => run.length % 2 === 0) ? text.replaceAll("$$", "$") : text;
}

/**
 * What Compose would make each service's containers from, as one hash a service: the label
 * `com.docker.compose.config-hash` of a container that is up to date is the same, and `up` leaves it alone.
 * `config --hash` by itself gives other hashes for services with an env_file: `up` resolves these first (seen with 2.40.3), so the
 * resolved project is what is hashed here.
 */
export async function readConfigHashes(
  context: DockerContext,
  flags: ComposeFlags,
  options: RunOptions = {},
): Promise<Map<string, string>> {
  const resolved = await runCompose(context, flags, ["config", "--format", "json"], options);
  const { stdout } = await runCompose(
    context,
    { ...flags, files: ["-"], profiles: ["*"] },
    ["config", "--hash", "*"],
    { ...options, input: resolved.stdout },
  );
  const lines = stdout.split("\n").filter(Boolean);
  return new Map(lines.map((line) => line.trim().split(/\s+/) as [string, string]));
}

/** Exit codes that `docker compose` is known to fail with. */
export const ANY_FAILURE: readonly number[] = Array.from({ length: 255 }, (_, index) => index + 1);

/** The part of `docker compose config --format json` that Drybag reads (compose-spec). */
export interface ComposeModel {
  name: string;
  services?: Record<string, ComposeService>;
  volumes?: Record<string, ComposeVolume | null>;
  networks?: Record<string, { name?: string; external?: boolean } | null>;
  configs?: Record<string, ComposeFileObject>;
  secrets?: Record<string, ComposeFileObject>;
}

/** The part of `config --no-interpolate` that Drybag reads. Paths are absolute. */
export interface RawComposeModel {
  services?: Record<
    string,
    { env_file?: ({ path: string; required?: boolean } | string)[]; label_file?: string[] | string }
  >;
}

export interface ComposeService {
  image?: string;
  build?: ComposeBuild | null;
  platform?: string;
  profiles?: string[];
  pull_policy?: string;
  restart?: string;
  deploy?: {
    replicas?: number;
    restart_policy?: { condition?: string };
    resources?: { reservations?: { memory?: string | number } };
  } | null;
  mem_reservation?: string | number;
  scale?: number;
  healthcheck?: { test?: string[] | null; disable?: boolean } | null;
  depends_on?: Record<string, { condition: string; required?: boolean }>;
  volumes?: ComposeMount[];
  ports?: ComposePort[];
  network_mode?: string;
  container_name?: string;
  /** Env files merged in. */
  environment?: Record<string, string | null> | null;
  provider?: unknown;
  pre_start?: ComposeHook[] | null;
  post_start?: ComposeHook[] | null;
  pre_stop?: ComposeHook[] | null;
}

/** What runs before or after a service; has an image of its own from Compose 5.3. */
export interface ComposeHook {
  image?: string;
}

export interface ComposeBuild {
  /** Absolute, or an address. */
  context?: string;
  dockerfile?: string;
  dockerfile_inline?: string;
  target?: string;
  args?: Record<string, string | null> | null;
  additional_contexts?: Record<string, string> | null;
  secrets?: { source?: string }[] | null;
}

export interface ComposeMount {
  type: string;
  source?: string;
  target: string;
  read_only?: boolean;
  /** `selinux` is `z` or `Z` where the mount is to be relabelled. */
  bind?: { create_host_path?: boolean; selinux?: string };
}

export interface ComposePort {
  mode?: string;
  target: number;
  published?: string;
  protocol?: string;
  host_ip?: string;
}

export interface ComposeVolume {
  name?: string;
  external?: boolean;
  driver?: string;
  driver_opts?: Record<string, string>;
}

export interface ComposeFileObject {
  name?: string;
  file?: string;
  content?: string;
  environment?: string;
  external?: boolean;
}
