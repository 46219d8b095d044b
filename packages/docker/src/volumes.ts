import type { Readable, Writable } from "node:stream";
import { DrybagError } from "@drybag/errors";
import { type DockerContext, lastLines, type RunOptions, runDocker } from "./run-docker.ts";
import { startClient } from "./run-streaming.ts";

/** A volume, as the engine knows it. */
export interface VolumeFacts {
  name: string;
  driver: string;
  labels: Record<string, string>;
  options: Record<string, string>;
}

/** undefined where there is no such volume. */
export async function inspectVolume(
  context: DockerContext,
  name: string,
  options: RunOptions = {},
): Promise<VolumeFacts | undefined> {
  const { exitCode, stdout } = await runDocker(context, ["volume", "inspect", name], {
    ...options,
    allowExitCodes: [1],
  });
  if (exitCode !== 0) return undefined;
  const [volume] = JSON.parse(stdout) as [
    { Name: string; Driver: string; Labels?: Record<string, string>; Options?: Record<string, string> },
  ];
  return {
    name: volume.Name,
    driver: volume.Driver,
    labels: volume.Labels ?? {},
    options: volume.Options ?? {},
  };
}

export async function createVolume(
  context: DockerContext,
  { name, driver, labels, options: driverOptions }: VolumeFacts,
  options: RunOptions = {},
): Promise<void> {
  const pairs = (flag: string, map: Record<string, string>) =>
    Object.entries(map).flatMap(([key, value]) => [flag, `${key}=${value}`]);
  await runDocker(
    context,
    [
      ...["volume", "create", "--driver", driver],
      ...pairs("--label", labels),
      ...pairs("--opt", driverOptions),
      name,
    ],
    options,
  );
}

/** Sizes of volumes in bytes, as far as the engine tells them: rounded to some digits. It walks through all of them. */
export async function readVolumeSizes(
  context: DockerContext,
  options: RunOptions = {},
): Promise<Map<string, number>> {
  const { stdout } = await runDocker(
    context,
    ["system", "df", "--verbose", "--format", "{{json .Volumes}}"],
    options,
  );
  const volumes = JSON.parse(stdout) as { Name: string; Size: string }[] | null;
  return new Map(
    (volumes ?? []).flatMap(({ Name, Size }) => {
      const sizeBytes = parseSize(Size);
      return sizeBytes === undefined ? [] : [[Name, sizeBytes] as const];
    }),
  );
}

const UNITS: Record<string, number> = { B: 1, kB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12, PB: 1e15 };

/** `1.234GB`, as the client shows sizes; undefined for `N/A`. Exported for its test. */
export function parseSize(text: string): number | undefined {
  const match = /^([0-9.]+)([kMGTP]?B)$/.exec(text);
  return match ? Math.round(Number(match[1]) * (UNITS[match[2] ?? ""] ?? 1)) : undefined;
}

/** Folder in the helper's container, and so the first part of every name in an archive. */
export const VOLUME_FOLDER = "drybag-volume";

/** A container that is never started and has one volume, or one folder of the engine's machine: archives go in and out through it. */
export interface VolumeAccess extends AsyncDisposable {
  /** A tar of all that is in it, with owners, modes and times; every name begins with `drybag-volume/`, or with the folder that was asked for. */
  read(options: RunOptions): { archive: Readable; done: Promise<void> };
  /** Takes such a tar. What is there already stays, unless the archive has it too. */
  write(options: RunOptions): { archive: Writable; done: Promise<void> };
}

/** The container that a volume is reached through. */
export interface VolumeHelper {
  /** Any that the engine has: none of its programs is run. */
  image: string;
  name: string;
  label: string;
}

/** Makes such a container. `source` is the name of a volume, or an absolute path; `folder` is what its archives call it. */
export async function openVolume(
  context: DockerContext,
  { source, folder, ...helper }: VolumeHelper & { source: string; folder?: string },
  options: RunOptions = {},
): Promise<VolumeAccess> {
  const { name } = helper;
  const parent = folder === undefined ? "" : `/${VOLUME_FOLDER}`;
  const path = `${parent}/${folder ?? VOLUME_FOLDER}`;
  const mount = `${source}:${path}${source.startsWith("/") ? "" : ":nocopy"}`;
  const access = await createHelper(context, helper, mount, options);
  return {
    ...openContainerFolder(context, { container: name, path }),
    ...access,
    write(writeOptions) {
      const client = startClient(context, ["cp", "-", `${name}:${parent}/`], writeOptions);
      client.stdout.resume();
      // The client may end before it has taken everything: why it did is what counts.
      client.stdin.on("error", () => undefined);
      return { archive: client.stdin, done: settled(client, "into a volume", writeOptions) };
    },
  };
}

/** A folder of a container that is there, stopped or not, with all that is mounted in it; names begin with the last part of the path. */
export function openContainerFolder(
  context: DockerContext,
  { container, path }: { container: string; path: string },
): Pick<VolumeAccess, "read"> {
  return {
    read(options) {
      const client = startClient(context, ["cp", `${container}:${path}`, "-"], options);
      client.stdin.end();
      return { archive: client.stdout, done: settled(client, "out of a container", options) };
    },
  };
}

/**
 * What a container of an image has in a folder before it is started, as an archive; every name begins with the last part of the path.
 * Where the image declares a volume there, the engine fills one first, as it does for services.
 */
export async function openImageFolder(
  context: DockerContext,
  { path, ...helper }: VolumeHelper & { path: string },
  options: RunOptions = {},
): Promise<Pick<VolumeAccess, "read"> & AsyncDisposable> {
  const access = await createHelper(context, helper, path, options);
  return { ...openContainerFolder(context, { container: helper.name, path }), ...access };
}

/** Makes the container anew, with one volume; it is removed in the end. */
async function createHelper(
  context: DockerContext,
  { image, name, label }: VolumeHelper,
  volume: string,
  options: RunOptions,
): Promise<AsyncDisposable> {
  await removeHelper(context, name);
  // An image need not say what it runs; nothing here is.
  const args = ["--name", name, "--label", label, "--network", "none", "--volume", volume, image, "none"];
  await runDocker(context, ["create", ...args], options);
  return { [Symbol.asyncDispose]: () => removeHelper(context, name) };
}

async function settled(
  client: ReturnType<typeof startClient>,
  where: string,
  { signal }: RunOptions,
): Promise<void> {
  const result = await client;
  signal?.throwIfAborted();
  if (result.exitCode !== 0) {
    throw new DrybagError("docker-failed", `'docker cp' ${where} failed.`, {
      detail: lastLines(result.stderr),
    });
  }
}

/** Also one that a killed command has left, running or not. */
export async function removeHelper(context: DockerContext, name: string): Promise<void> {
  await runDocker(context, ["rm", "--force", "--volumes", name], {
    allowExitCodes: [1],
    timeoutMs: 60_000,
  });
}
