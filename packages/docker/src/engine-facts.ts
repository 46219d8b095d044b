import { access, constants } from "node:fs/promises";
import { DrybagError } from "@drybag/errors";
import { type DockerContext, type RunOptions, runDocker } from "./run-docker.ts";

/** What the engine says about itself. */
export interface EngineFacts {
  /** Of the engine, e.g. `28.5.2`. */
  version: string;
  apiVersion: string;
  os: string;
  /** In Go's words: `amd64`, `arm64`. */
  architecture: string;
  imageStore: ImageStore;
  /** Folder on the engine's machine that holds images, containers and volumes. */
  dataRoot: string;
  memoryBytes: number;
  cpus: number;
  operatingSystem: string;
  /** E.g. `selinux`, `apparmor`, `rootless`. */
  securityOptions: string[];
}

export type ImageStore = "classic" | "containerd";

/** Clients before 23.0 take the short form `json` for a template that prints just that word (seen with 20.10.24). */
export const JSON_TEMPLATE = "{{json .}}";

/** How long an engine may take to answer a question about itself, in milliseconds. */
const ANSWER_TIMEOUT_MS = 30_000;

/**
 * Asks the engine for its facts.
 * Throws `docker-missing`, `engine-unreachable` or `engine-permission`.
 */
export async function readEngineFacts(
  context: DockerContext,
  options: RunOptions = {},
): Promise<EngineFacts> {
  const asked = askInfo(context, options);
  // Whatever is wrong, the version's error says it better.
  asked.catch(() => undefined);
  const version = await askVersion(context, options);
  const info = await asked;
  return {
    version: version.Version,
    apiVersion: version.ApiVersion,
    os: version.Os,
    architecture: version.Arch,
    imageStore: imageStoreOf(info),
    dataRoot: info.DockerRootDir,
    memoryBytes: info.MemTotal,
    cpus: info.NCPU,
    operatingSystem: info.OperatingSystem,
    securityOptions: (info.SecurityOptions ?? []).map((option) => option.replace(/^name=/, "")),
  };
}

interface ServerVersion {
  Version: string;
  ApiVersion: string;
  Os: string;
  Arch: string;
}

interface DockerInfo {
  DockerRootDir: string;
  MemTotal: number;
  NCPU: number;
  OperatingSystem: string;
  SecurityOptions?: string[] | null;
  DriverStatus?: [string, string][] | null;
}

async function askVersion(context: DockerContext, options: RunOptions): Promise<ServerVersion> {
  const { stdout } = await runDocker(context, ["version", "--format", "{{json .Server}}"], {
    ...options,
    allowExitCodes: [1],
    timeoutMs: ANSWER_TIMEOUT_MS,
  });
  const server = parseServer(stdout);
  if (server) return server;
  throw await unreachable(context, options);
}

async function askInfo(context: DockerContext, options: RunOptions): Promise<DockerInfo> {
  const { stdout } = await runDocker(context, ["info", "--format", JSON_TEMPLATE], {
    ...options,
    timeoutMs: ANSWER_TIMEOUT_MS,
  });
  return JSON.parse(stdout) as DockerInfo;
}

/** Without an engine the client prints `null`, or nothing, depending on its version. */
function parseServer(stdout: string): ServerVersion | undefined {
  try {
    return (JSON.parse(stdout) as ServerVersion | null) ?? undefined;
  } catch {
    return undefined;
  }
}

async function unreachable(context: DockerContext, options: RunOptions): Promise<DrybagError> {
  const host = await endpointOf(context, options);
  const socket = host?.startsWith("unix://") ? host.slice("unix://".length) : undefined;
  if (socket !== undefined && (await isForbidden(socket))) {
    return new DrybagError("engine-permission", `You may not use the Docker Engine at ${socket}.`, {
      hint: "Run the same command as root (sudo), or as a member of the group 'docker'.",
    });
  }
  return new DrybagError(
    "engine-unreachable",
    `The Docker Engine${host ? ` at ${host}` : ""} does not answer.`,
    {
      hint: "Start it (systemctl start docker) and see that 'docker version' shows a server, then run the same command again.",
    },
  );
}

async function endpointOf(context: DockerContext, options: RunOptions): Promise<string | undefined> {
  if (context.env.DOCKER_HOST) return context.env.DOCKER_HOST;
  const { exitCode, stdout } = await runDocker(
    context,
    ["context", "inspect", "--format", "{{.Endpoints.docker.Host}}"],
    { ...options, allowExitCodes: [1], timeoutMs: ANSWER_TIMEOUT_MS },
  );
  return exitCode === 0 && stdout !== "" ? stdout : undefined;
}

async function isForbidden(socket: string): Promise<boolean> {
  try {
    await access(socket, constants.R_OK | constants.W_OK);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EACCES";
  }
}

/** The containerd store names itself as the type of the storage driver. */
function imageStoreOf(info: DockerInfo): ImageStore {
  const isContainerd = (info.DriverStatus ?? []).some(
    ([key, value]) => key === "driver-type" && value.startsWith("io.containerd.snapshotter"),
  );
  return isContainerd ? "containerd" : "classic";
}

/** The Compose plugin of the client, by its path; undefined where there is none. */
export async function readComposePlugin(
  context: DockerContext,
  options: RunOptions = {},
): Promise<string | undefined> {
  const { stdout } = await runDocker(context, ["info", "--format", "{{json .ClientInfo.Plugins}}"], {
    ...options,
    timeoutMs: ANSWER_TIMEOUT_MS,
  });
  const plugins = JSON.parse(stdout) as { Name: string; Path?: string; Err?: unknown }[] | null;
  return (plugins ?? []).find(({ Name, Err }) => Name === "compose" && !Err)?.Path;
}
