import { randomBytes } from "node:crypto";
import { type DockerContext, type RunOptions, runDocker } from "./run-docker.ts";

/** Where a volume without a name of its own is mounted: an image declares it, or a Compose file without saying which volume. */
export interface UnnamedPlace {
  service: string;
  /** Of the service's containers, from 1. */
  number: number;
  /** Absolute path in the container. */
  target: string;
}

/** Such a volume, with the name that the engine made up for it. */
export interface UnnamedVolume extends UnnamedPlace {
  name: string;
}

/** The same, where it is mounted. */
export interface UnnamedMount extends UnnamedVolume {
  /** ID of the container. */
  container: string;
  /** Something else is mounted in it. */
  hasMountsBelow: boolean;
}

/** What the engine calls a volume that nobody gave a name (moby, volume/service). */
const MADE_UP = /^[0-9a-f]{64}$/;

/** The volumes without a name that a project's containers have, stopped ones too. Sorted. */
export async function listUnnamedVolumes(
  context: DockerContext,
  projectName: string,
  options: RunOptions = {},
): Promise<UnnamedMount[]> {
  const filters = [
    `label=com.docker.compose.project=${projectName}`,
    "label=com.docker.compose.oneoff=False",
  ].flatMap((filter) => ["--filter", filter]);
  const ids = await runDocker(context, ["ps", "--all", "--quiet", "--no-trunc", ...filters], options);
  const found = ids.stdout.split("\n").filter(Boolean);
  if (found.length === 0) return [];
  const { stdout } = await runDocker(context, ["container", "inspect", ...found], {
    ...options,
    allowExitCodes: [1],
  });
  return unnamedVolumesOf(JSON.parse(stdout) as ContainerWithMounts[]);
}

interface ContainerWithMounts {
  Id: string;
  Config: { Labels?: Record<string, string> | null };
  Mounts?: { Type: string; Name?: string; Destination: string }[];
}

/** Pure; exported for its test. */
export function unnamedVolumesOf(containers: readonly ContainerWithMounts[]): UnnamedMount[] {
  return containers
    .flatMap(({ Id: container, Config: { Labels }, Mounts = [] }) => {
      const service = Labels?.["com.docker.compose.service"];
      const number = Number(Labels?.["com.docker.compose.container-number"] ?? 1);
      if (service === undefined) return [];
      return Mounts.flatMap(({ Type: type, Name: name = "", Destination: target }) => {
        if (type !== "volume" || !MADE_UP.test(name)) return [];
        const hasMountsBelow = Mounts.some(({ Destination: other }) => other.startsWith(`${target}/`));
        return [{ service, number, target, name, container, hasMountsBelow }];
      });
    })
    .sort((a, b) => (placeKey(a) < placeKey(b) ? -1 : 1));
}

/** The same for the same place. */
export function placeKey({ service, number, target }: UnnamedPlace): string {
  return `${service} ${String(number).padStart(6, "0")} ${target}`;
}

/** A name as the engine makes them up. */
export function makeUpVolumeName(): string {
  return randomBytes(32).toString("hex");
}

/** The paths that an image declares as volumes; undefined where the engine does not have it. */
export async function readDeclaredVolumes(
  context: DockerContext,
  image: string,
  options: RunOptions = {},
): Promise<string[] | undefined> {
  const { exitCode, stdout } = await runDocker(
    context,
    ["image", "inspect", "--format", "{{json .Config.Volumes}}", image],
    { ...options, allowExitCodes: [1] },
  );
  if (exitCode !== 0) return undefined;
  const volumes = JSON.parse(stdout) as Record<string, unknown> | null;
  return Object.keys(volumes ?? {}).map((path) => path.replace(/(.)\/+$/, "$1"));
}

const CARRIER = "-drybag-carrier-";

export function isCarrier({ name, project }: { name: string; project: string | undefined }): boolean {
  return project !== undefined && name.startsWith(`${project}${CARRIER}`);
}

/**
 * Makes a container that Compose takes for an outdated one of a service: its next `up` makes the container anew, and carries the volumes
 * without a name over from this one (pkg/compose/create.go, buildContainerMountOptions). It is never started. At paths of `elsewhere`, where
 * the service has a mount of its own, the engine makes no volume.
 */
export async function createCarrier(
  context: DockerContext,
  carrier: {
    projectName: string;
    service: string;
    number: number;
    image: string;
    volumes: readonly { name: string; target: string }[];
    elsewhere: readonly string[];
  },
  options: RunOptions = {},
): Promise<void> {
  const { projectName, service, number, image, volumes, elsewhere } = carrier;
  const labels = {
    "com.docker.compose.project": projectName,
    "com.docker.compose.service": service,
    "com.docker.compose.container-number": String(number),
    "com.docker.compose.oneoff": "False",
    // Of no configuration, so that it is outdated.
    "com.docker.compose.config-hash": "drybag",
  };
  await runDocker(
    context,
    [
      ...["create", "--name", `${projectName}${CARRIER}${service}-${number}`, "--network", "none"],
      ...Object.entries(labels).flatMap(([label, value]) => ["--label", `${label}=${value}`]),
      ...volumes.flatMap(({ name, target }) => ["--mount", mountOf("volume", target, name)]),
      ...elsewhere.flatMap((target) => ["--mount", mountOf("tmpfs", target)]),
      ...[image, "none"],
    ],
    options,
  );
}

/** The client reads it as a line of CSV. */
function mountOf(type: string, target: string, source?: string): string {
  const from = source === undefined ? [] : [`source=${source}`];
  return [`type=${type}`, ...from, `target=${target}`, ...(source === undefined ? [] : ["volume-nocopy"])]
    .map((field) => (/[",]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field))
    .join(",");
}
