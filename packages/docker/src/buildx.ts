import type { Readable } from "node:stream";
import { DrybagError } from "@drybag/errors";
import { execa } from "execa";
import {
  clientDidNotRun,
  type DockerContext,
  isClientMissing,
  type RunOptions,
  runDocker,
  spawnOptions,
} from "./run-docker.ts";

/** One `docker buildx build` (docs.docker.com/reference/cli/docker/buildx/build). */
export interface ImageBuild {
  context: string;
  file: string;
  tags: readonly string[];
  target?: string | undefined;
  args: Readonly<Record<string, string>>;
  /** Build arguments whose values are in `RunOptions.env`: they are on no command line. */
  argsFromEnv?: readonly string[];
  labels: Readonly<Record<string, string>>;
  /** BuildKit secrets: from a file, or from a variable of `RunOptions.env`. */
  secrets: readonly { id: string; env?: string | undefined; file?: string | undefined }[];
  /** Named contexts, e.g. `base` to `docker-image://base:1`. */
  contexts: Readonly<Record<string, string>>;
  platforms: readonly string[];
  cacheFrom: readonly string[];
  cacheTo: readonly string[];
  network?: string | undefined;
  noCache: boolean;
  /** Stages that are built anew. */
  noCacheFilter?: readonly string[];
  /** `load`: into the engine. `push`: to the registry, and nowhere else. */
  output: "load" | "push";
}

/** Version of the buildx plugin, e.g. `0.29.1`. Throws `buildx-missing`. */
export async function readBuildxVersion(context: DockerContext, options: RunOptions = {}): Promise<string> {
  const { exitCode, stdout } = await runDocker(context, ["buildx", "version"], {
    ...options,
    allowExitCodes: [1, 125],
  });
  const version = /\bv?(\d+\.\d+\.\d+)/.exec(stdout)?.[1];
  if (exitCode !== 0 || version === undefined) {
    throw new DrybagError("buildx-missing", "The buildx plugin of Docker is not on this machine.", {
      hint: "Install it (package docker-buildx-plugin, or docker-buildx on Debian) and see that 'docker buildx version' answers.",
    });
  }
  return version;
}

/** The build as arguments of `docker`. */
export function buildArguments(build: ImageBuild): string[] {
  const each = (flag: string, values: readonly string[]) => values.flatMap((value) => [flag, value]);
  return [
    ...["buildx", "build", "--progress=plain", `--${build.output}`],
    // Attestations hold times, and make an image of one platform an index of two.
    ...["--provenance=false", "--sbom=false"],
    ...["--file", build.file],
    ...each("--tag", build.tags),
    ...(build.target === undefined ? [] : ["--target", build.target]),
    ...each("--build-arg", pairs(build.args)),
    ...each("--build-arg", build.argsFromEnv ?? []),
    ...each("--label", pairs(build.labels)),
    ...each(
      "--secret",
      build.secrets.map(({ id, env, file }) =>
        secretArgument(id, env === undefined ? ["src", file] : ["env", env]),
      ),
    ),
    ...each("--build-context", pairs(build.contexts)),
    ...(build.platforms.length === 0 ? [] : ["--platform", build.platforms.join(",")]),
    ...each("--cache-from", build.cacheFrom),
    ...each("--cache-to", build.cacheTo),
    ...(build.network === undefined ? [] : [`--network=${build.network}`]),
    ...(build.noCache ? ["--no-cache"] : []),
    ...each("--no-cache-filter", build.noCache ? [] : (build.noCacheFilter ?? [])),
    build.context,
  ];
}

function pairs(values: Readonly<Record<string, string>>): string[] {
  return Object.entries(values).map(([name, value]) => `${name}=${value}`);
}

/** A CSV record, as buildx reads it. */
function secretArgument(id: string, [key, value = ""]: (string | undefined)[]): string {
  return [`id=${id}`, `${key}=${value}`]
    .map((field) => (/[",\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field))
    .join(",");
}

/**
 * Runs a client that builds, and gives every line that it says as it comes. Returns its exit code.
 * Throws `docker-missing`.
 */
export async function runBuildClient(
  context: DockerContext,
  args: readonly string[],
  onLine: (line: string) => void,
  options: RunOptions = {},
): Promise<number> {
  const child = execa(context.command ?? "docker", args, {
    ...spawnOptions(context, options),
    stdin: "ignore",
    buffer: false,
    all: true,
  });
  const lines = readLines(child.all as Readable, onLine);
  const result = await child;
  await lines;
  options.signal?.throwIfAborted();
  if (isClientMissing(result) || result.exitCode === undefined) throw clientDidNotRun(context, args, result);
  return result.exitCode;
}

async function readLines(stream: Readable, onLine: (line: string) => void): Promise<void> {
  let rest = "";
  stream.setEncoding("utf8");
  try {
    for await (const chunk of stream) {
      const lines = (rest + chunk).split(/\r?\n/);
      rest = lines.pop() ?? "";
      for (const line of lines) onLine(line);
    }
  } catch {
    // The client was killed; its exit tells.
  }
  if (rest !== "") onLine(rest);
}

/** Pushes one tag. Throws `push-failed` with what the registry said. */
export async function pushImage(
  context: DockerContext,
  reference: string,
  options: RunOptions = {},
): Promise<void> {
  const output = await runDocker(context, ["push", "--quiet", reference], {
    ...options,
    allowExitCodes: [1, 125],
  });
  if (output.exitCode !== 0) {
    throw new DrybagError("push-failed", `${reference} could not be pushed.`, {
      detail: output.stderr.trim().split("\n").slice(-3).join("\n"),
      hint: "Check 'image' in drybag.yaml, the network, and whether the registry wants 'docker login'.",
    });
  }
}
