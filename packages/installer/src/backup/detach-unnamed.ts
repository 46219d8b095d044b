import {
  type ComposeModel,
  type DockerContext,
  inspectVolume,
  listUnnamedVolumes,
  listVolumeUsers,
  makeUpVolumeName,
  placeKey,
  readDeclaredVolumes,
  type UnnamedPlace,
  type UnnamedVolume,
} from "@drybag/docker";
import type { Manifest } from "@drybag/format";
import { detachedVolumes, readJournal } from "../site/journal.ts";
import type { SitePaths } from "../site/site-paths.ts";
import type { ArchiveRecord, BackupRecord, UnnamedRecord } from "./backup-record.ts";
import { imageOfService } from "./volume-helper.ts";

/** What becomes of volumes without a name while the containers that have them are away. */
export interface DetachedVolumes {
  /** Those that the next containers get. */
  volumes: UnnamedVolume[];
  /** Names of those among them that are filled from an archive first. */
  contents: Map<string, ArchiveRecord>;
  /** Those that nothing will refer to any more. */
  toRemove: UnnamedVolume[];
  /** Places that the release does not have. */
  leftOut: UnnamedPlace[];
}

/** Of the containers that are there, of those that a command that was cut off has taken away, and of those that the backup was made of. */
export async function planDetaching(input: {
  docker: DockerContext;
  projectName: string;
  /** Of the release that the data is for. */
  model: ComposeModel;
  manifest: Manifest;
  paths: SitePaths;
  record: BackupRecord;
  signal: AbortSignal;
}): Promise<DetachedVolumes> {
  const { docker, projectName, paths, record, signal } = input;
  const records = record.unnamed;
  const here = await listUnnamedVolumes(docker, projectName, { signal });
  const detached = detachedVolumes(await readJournal(paths.journal));
  const before = [
    ...(record.stack === projectName ? await stillHere(records, input) : []),
    ...detached.toRemove,
    ...detached.volumes,
  ];
  const all = [...here, ...before, ...records];
  const places = new Map<string, ReadonlySet<string>>();
  for (const service of new Set(all.map((each) => each.service))) {
    const { unnamed } = await readPlaces(input, service);
    // Without its image nobody knows: nothing is taken away then.
    const known = all.filter((each) => each.service === service).map(({ target }) => target);
    places.set(service, new Set(unnamed ?? known));
  }
  const planned = planPlaces(here, before, records, places);
  // One whose making was cut off is not there yet.
  const volumes: UnnamedVolume[] = [];
  for (const volume of planned.volumes)
    if (planned.contents.has(volume.name) || (await inspectVolume(docker, volume.name, { signal })))
      volumes.push(volume);
  return { ...planned, volumes };
}

/** Those of the backup that nobody else has: a release that does not ask for such a volume has left it behind. */
async function stillHere(
  records: readonly UnnamedRecord[],
  { docker, projectName, signal }: { docker: DockerContext; projectName: string; signal: AbortSignal },
): Promise<UnnamedVolume[]> {
  const found: UnnamedVolume[] = [];
  for (const { service, number, target, name } of records) {
    if ((await inspectVolume(docker, name, { signal })) === undefined) continue;
    const users = await listVolumeUsers(docker, name, { signal });
    if (users.every(({ project }) => project === projectName)) found.push({ service, number, target, name });
  }
  return found;
}

/** Pure; exported for its test. */
export function planPlaces(
  here: readonly UnnamedVolume[],
  before: readonly UnnamedVolume[],
  records: readonly UnnamedRecord[],
  places: ReadonlyMap<string, ReadonlySet<string>>,
): DetachedVolumes {
  const isPlace = ({ service, target }: UnnamedPlace) => places.get(service)?.has(target) === true;
  const known = new Map([...before, ...here].map((volume) => [placeKey(volume), volume]));
  const recorded = new Map(records.map((record) => [placeKey(record), record]));
  const contents = new Map<string, ArchiveRecord>();
  const volumes: UnnamedVolume[] = [];
  for (const [key, place] of new Map<string, UnnamedPlace>([...recorded, ...known])) {
    const record = recorded.get(key);
    // What was as the image has it is left to the engine, which fills a new volume from the image.
    if (!isPlace(place) || record?.content === null) continue;
    const { service, number, target } = place;
    const name = known.get(key)?.name ?? makeUpVolumeName();
    volumes.push({ service, number, target, name });
    if (record !== undefined) contents.set(name, record.content);
  }
  const kept = new Set(volumes.map(({ name }) => name));
  const all = new Map([...before, ...here].map((volume) => [volume.name, volume]));
  return {
    volumes,
    contents,
    toRemove: [...all.values()].filter(({ name }) => !kept.has(name)).map(asVolume),
    leftOut: records.filter((record) => record.content !== null && !isPlace(record)),
  };
}

/** Without what is known of the container that has it now. */
function asVolume({ service, number, target, name }: UnnamedVolume): UnnamedVolume {
  return { service, number, target, name };
}

/**
 * Where containers of a service have volumes without a name, undefined where its image is gone; and where its image asks for one but the
 * service has something else.
 */
export async function readPlaces(
  {
    docker,
    model,
    manifest,
    signal,
  }: {
    docker: DockerContext;
    model: ComposeModel;
    manifest: Manifest;
    signal: AbortSignal;
  },
  name: string,
): Promise<{ unnamed: string[] | undefined; elsewhere: string[]; image: string | undefined }> {
  const service = model.services?.[name];
  const image = await imageOfService(docker, manifest, name, signal);
  if (service === undefined || image === undefined) return { unnamed: [], elsewhere: [], image: undefined };
  const declared = await readDeclaredVolumes(docker, image, { signal });
  if (declared === undefined) return { unnamed: undefined, elsewhere: [], image };
  const mounts = service.volumes ?? [];
  const anonymous = mounts
    .filter(({ type, source }) => type === "volume" && !source)
    .map(({ target }) => target);
  const mounted = new Set(mounts.map(({ target }) => target));
  return {
    unnamed: [...new Set([...anonymous, ...declared.filter((target) => !mounted.has(target))])],
    elsewhere: declared.filter((target) => mounted.has(target) && !anonymous.includes(target)),
    image,
  };
}
