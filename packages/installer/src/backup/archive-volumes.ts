import { rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { pipeline } from "node:stream/promises";
import {
  type DockerContext,
  inspectImage,
  openContainerFolder,
  openImageFolder,
  openVolume,
  type UnnamedMount,
  type VolumeAccess,
} from "@drybag/docker";
import type { Manifest } from "@drybag/format";
import type { StageReport } from "@drybag/terminal";
import { writeArchive } from "./archive-file.ts";
import { type ArchiveRecord, placeName, type UnnamedRecord } from "./backup-record.ts";
import { TarDigest } from "./tar-digest.ts";
import { helper, imageOfService } from "./volume-helper.ts";

interface Reading {
  docker: DockerContext;
  projectName: string;
  image: string;
  onBytes(bytes: number): void;
  signal: AbortSignal;
}

/** Writes the content of a volume, or of a folder, into a compressed file. */
export async function archiveVolume(
  input: Reading & { source: string; folder?: string; path: string; digest?: TarDigest },
): Promise<ArchiveRecord> {
  const { docker, projectName, source, folder, image, path, onBytes, digest, signal } = input;
  const from = { source, image, ...(folder === undefined ? {} : { folder }), ...helper(projectName) };
  await using volume = await openVolume(docker, from, { signal });
  // Awaited here: the volume is closed behind it.
  return await writeFrom(volume, { path, onBytes, digest, signal });
}

async function writeFrom(
  from: Pick<VolumeAccess, "read">,
  {
    path,
    onBytes,
    digest,
    signal,
  }: Pick<Reading, "onBytes" | "signal"> & { path: string; digest?: TarDigest | undefined },
): Promise<ArchiveRecord> {
  const stop = new AbortController();
  const { archive, done } = from.read({ signal: AbortSignal.any([signal, stop.signal]) });
  done.catch(() => undefined);
  try {
    const record = await writeArchive(archive, path, { signal, onBytes, digest });
    await done;
    return record;
  } catch (error) {
    stop.abort();
    throw error;
  }
}

/**
 * The same for volumes without a name. Images that declare volumes are often run by many services, each with a copy that nobody has
 * written to: an archive of what the image holds anyway is not kept.
 */
export async function archiveUnnamed(
  volumes: readonly UnnamedMount[],
  input: Reading & { manifest: Manifest; folder: string; report: StageReport },
): Promise<UnnamedRecord[]> {
  const { manifest, folder: backup, report } = input;
  const asInImage = new Map<string, string | undefined>();
  const records: UnnamedRecord[] = [];
  for (const [index, mount] of volumes.entries()) {
    const { name, service, number, target, container } = mount;
    report.message(`volume ${placeName({ service, number, target })}`);
    const image = (await imageOfService(input.docker, manifest, service, input.signal)) ?? input.image;
    const key = `${image} ${target}`;
    // Before the volume is opened: there is one helper.
    if (!asInImage.has(key)) asInImage.set(key, await digestImageFolder({ ...input, image, path: target }));
    const digest = new TarDigest();
    const path = join(backup, `unnamed-${service}-${number}-${index + 1}.tar.zst`);
    // Through its own container, which spares making another, unless more would come out than is in the volume.
    const content = mount.hasMountsBelow
      ? await archiveVolume({ ...input, source: name, folder: basename(target), path, digest })
      : await writeFrom(openContainerFolder(input.docker, { container, path: target }), {
          ...input,
          path,
          digest,
        });
    const isAsInImage = (await digest.result()) === asInImage.get(key);
    if (isAsInImage) await rm(path);
    records.push({ service, number, target, name, content: isAsInImage ? null : content });
  }
  return records;
}

/** Of a volume that the engine has just filled; undefined where the image is gone, and all there is has to be kept. */
async function digestImageFolder({
  docker,
  projectName,
  image,
  path,
  signal,
}: Reading & { path: string }): Promise<string | undefined> {
  if (!(await inspectImage(docker, image, { signal }))) return undefined;
  await using folder = await openImageFolder(docker, { path, image, ...helper(projectName) }, { signal });
  const { archive, done } = folder.read({ signal });
  const digest = new TarDigest();
  const passing = digest.passing();
  passing.resume();
  await Promise.all([pipeline(archive, passing, { signal }), done]);
  return digest.result();
}
