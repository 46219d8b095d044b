import { ANY_FAILURE, type ComposeFlags, runCompose } from "./compose.ts";
import { type DockerContext, type RunOptions, runDocker } from "./run-docker.ts";

/** A container of a project, as `docker inspect` shows it. */
export interface ContainerFacts {
  id: string;
  name: string;
  /** Its service; undefined when it is not Compose's. */
  service: string | undefined;
  state: "created" | "running" | "paused" | "restarting" | "removing" | "exited" | "dead";
  exitCode: number;
  /** What the engine says where a container could not start. */
  error: string;
  outOfMemory: boolean;
  /** `none` where the container has no healthcheck. */
  health: "none" | "starting" | "healthy" | "unhealthy";
  /** What the last healthcheck printed. */
  healthOutput: string | undefined;
  restartCount: number;
  startedAt: string;
  /** ID of the image it was made from. */
  imageId: string;
  restartPolicy: string;
  /** Its Compose project; undefined when it is not Compose's. */
  project: string | undefined;
  /** What Compose made it from, as `readConfigHashes` gives it for a service. */
  configHash: string | undefined;
  /** Ports of the host that lead into it while it runs. */
  ports: PublishedPort[];
  /** Its addresses in the networks of the engine while it runs; none in the host's network. */
  addresses: string[];
}

export interface PublishedPort {
  hostIp: string;
  hostPort: number;
  containerPort: number;
  /** `tcp`, `udp` or `sctp`. */
  protocol: string;
}

/** All containers of a project, stopped ones too, `docker compose run` ones not. Sorted by name. */
export async function listProjectContainers(
  context: DockerContext,
  projectName: string,
  options: RunOptions = {},
): Promise<ContainerFacts[]> {
  const filters = [
    `label=com.docker.compose.project=${projectName}`,
    "label=com.docker.compose.oneoff=False",
  ].flatMap((filter) => ["--filter", filter]);
  return listContainers(context, ["--all", ...filters], options);
}

/** All containers of the engine, whosever they are, stopped ones too. Sorted by name. */
export async function listAllContainers(
  context: DockerContext,
  options: RunOptions = {},
): Promise<ContainerFacts[]> {
  return listContainers(context, ["--all"], options);
}

async function listContainers(
  context: DockerContext,
  args: readonly string[],
  options: RunOptions,
): Promise<ContainerFacts[]> {
  const { stdout } = await runDocker(context, ["ps", "--quiet", "--no-trunc", ...args], options);
  return inspectContainers(context, stdout.split("\n").filter(Boolean), options);
}

/** Containers that are gone meanwhile are left out. */
export async function inspectContainers(
  context: DockerContext,
  ids: readonly string[],
  options: RunOptions = {},
): Promise<ContainerFacts[]> {
  if (ids.length === 0) return [];
  const { stdout } = await runDocker(context, ["container", "inspect", ...ids], {
    ...options,
    allowExitCodes: [1],
  });
  const containers = JSON.parse(stdout) as EngineContainer[];
  return containers.map(toContainerFacts).sort((a, b) => (a.name < b.name ? -1 : 1));
}

interface EngineContainer {
  Id: string;
  Name: string;
  Image: string;
  RestartCount: number;
  State: {
    Status: ContainerFacts["state"];
    ExitCode: number;
    Error: string;
    OOMKilled: boolean;
    StartedAt: string;
    Health?: { Status: string; Log?: { Output: string }[] | null };
  };
  Config: { Labels?: Record<string, string> | null };
  HostConfig: { RestartPolicy?: { Name: string } };
  NetworkSettings?: {
    Ports?: Record<string, { HostIp: string; HostPort: string }[] | null> | null;
    Networks?: Record<string, { IPAddress?: string; GlobalIPv6Address?: string }> | null;
  };
}

function toContainerFacts(container: EngineContainer): ContainerFacts {
  const { State: state } = container;
  const health = state.Health?.Status;
  const labels = container.Config.Labels ?? {};
  return {
    id: container.Id,
    name: container.Name.replace(/^\//, ""),
    service: labels["com.docker.compose.service"],
    state: state.Status,
    exitCode: state.ExitCode,
    error: state.Error,
    outOfMemory: state.OOMKilled,
    health: health === "starting" || health === "healthy" || health === "unhealthy" ? health : "none",
    healthOutput: state.Health?.Log?.at(-1)?.Output.trim() || undefined,
    restartCount: container.RestartCount,
    startedAt: state.StartedAt,
    imageId: container.Image,
    restartPolicy: container.HostConfig.RestartPolicy?.Name || "no",
    project: labels["com.docker.compose.project"],
    configHash: labels["com.docker.compose.config-hash"],
    ports: publishedPorts(container),
    addresses: Object.values(container.NetworkSettings?.Networks ?? {})
      .flatMap(({ IPAddress, GlobalIPv6Address }) => [IPAddress, GlobalIPv6Address])
      .filter((address): address is string => address !== undefined && address !== ""),
  };
}

/** The engine gives them as `{"80/tcp": [{HostIp, HostPort}]}`. */
function publishedPorts(container: EngineContainer): PublishedPort[] {
  return Object.entries(container.NetworkSettings?.Ports ?? {}).flatMap(([port, bindings]) => {
    const [containerPort, protocol = "tcp"] = port.split("/");
    return (bindings ?? []).map(({ HostIp, HostPort }) => ({
      hostIp: HostIp,
      hostPort: Number(HostPort),
      containerPort: Number(containerPort),
      protocol,
    }));
  });
}

/** The last lines that a container wrote, both streams, oldest first. */
export async function readContainerLog(
  context: DockerContext,
  id: string,
  lines: number,
  options: RunOptions & { since?: string } = {},
): Promise<string> {
  const since = options.since === undefined ? [] : ["--since", options.since];
  const output = await runDocker(context, ["logs", "--tail", String(lines), ...since, id], {
    ...options,
    allowExitCodes: [1],
  });
  return [output.stdout, output.stderr].filter(Boolean).join("\n");
}

/**
 * Brings the project up from what the engine has: no pull, no build. Returns once the containers are started; whether they are
 * healthy is for the caller to see. A failure is returned, not thrown: the containers tell more than the message.
 */
export async function composeUp(
  context: DockerContext,
  flags: ComposeFlags,
  options: RunOptions & { args?: readonly string[] } = {},
): Promise<{ exitCode: number; stderr: string }> {
  const { exitCode, stderr } = await runCompose(
    context,
    flags,
    ["up", "--detach", "--pull", "never", "--no-build", "--remove-orphans", ...(options.args ?? [])],
    { ...options, allowExitCodes: ANY_FAILURE },
  );
  return { exitCode, stderr };
}
