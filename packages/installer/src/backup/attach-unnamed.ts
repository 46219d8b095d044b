import {
  type ComposeModel,
  createCarrier,
  type DockerContext,
  isCarrier,
  listProjectContainers,
  listUnnamedVolumes,
} from "@drybag/docker";
import type { Manifest } from "@drybag/format";
import { appendToJournal, detachedVolumes, readJournal } from "../site/journal.ts";
import type { SitePaths } from "../site/site-paths.ts";
import { readPlaces } from "./detach-unnamed.ts";

/**
 * Gives volumes without a name, whose containers are gone, to the containers that will be made: Compose carries them over from those that
 * it replaces. Without this, it would make new ones.
 */
export async function attachUnnamed(input: {
  docker: DockerContext;
  projectName: string;
  /** Of the release that is about to be started. */
  model: ComposeModel;
  manifest: Manifest;
  paths: SitePaths;
  signal: AbortSignal;
}): Promise<void> {
  const { docker, projectName, paths, signal } = input;
  const { volumes: detached } = detachedVolumes(await readJournal(paths.journal));
  if (detached.length === 0) return;
  const attached = new Set(
    (await listUnnamedVolumes(docker, projectName, { signal })).map(({ name }) => name),
  );
  const containers = await listProjectContainers(docker, projectName, { signal });
  const made = new Set(containers.filter((each) => !isCarrier(each)).map((each) => each.service));
  const toCarry = Map.groupBy(
    detached.filter(({ name, service }) => !attached.has(name) && !made.has(service)),
    ({ service, number }) => `${service} ${number}`,
  );
  for (const volumes of toCarry.values()) {
    const [{ service, number } = { service: "", number: 0 }] = volumes;
    const { unnamed, elsewhere, image } = await readPlaces(input, service);
    const wanted = volumes.filter(({ target }) => unnamed?.includes(target) ?? true);
    if (image === undefined || wanted.length === 0) continue;
    const carrier = { projectName, service, number, image, volumes: wanted, elsewhere };
    await createCarrier(docker, carrier, { signal });
  }
  await appendToJournal(paths.journal, { step: "volumes-attached" });
}
