import {
  type ComposeFlags,
  type ComposeModel,
  type ContainerFacts,
  composeUp,
  type DockerContext,
  finishRecreations,
  type ImageStore,
  listProjectContainers,
  readConfigHashes,
} from "@drybag/docker";
import type { BundledImage, Manifest } from "@drybag/format";
import { attachUnnamed } from "../backup/attach-unnamed.ts";
import type { ExpectedService } from "../health/expected-state.ts";
import { type JudgedService, judgeServices } from "../health/judge-services.ts";
import { glance } from "../health/observer.ts";
import { type HealthResult, watchHealth } from "../health/watch-health.ts";
import { expectedImageId } from "../images/image-state.ts";
import type { SitePaths } from "../site/site-paths.ts";

export interface ReleaseToStart {
  docker: DockerContext;
  engineIsLocal: boolean;
  flags: ComposeFlags;
  projectName: string;
  manifest: Manifest;
  model: ComposeModel;
  expected: readonly ExpectedService[];
  store: ImageStore;
  paths: SitePaths;
}

export interface StartResult extends HealthResult {
  /** Whether Compose was called at all. */
  started: boolean;
  /** What Compose said, where it failed. */
  composeSaid: string;
}

/**
 * Starts a release and watches it until it is healthy or has failed. Where all of it runs as it should already, Compose is not
 * called: a second `up` would run finished one-shots again.
 */
export async function startRelease(
  release: ReleaseToStart,
  options: { timeoutMs: number; signal: AbortSignal; onServices(services: JudgedService[]): void },
): Promise<StartResult> {
  const { docker, engineIsLocal, flags, projectName, expected } = release;
  const { timeoutMs, signal, onServices } = options;
  await finishRecreations(docker, projectName, { signal });
  await attachUnnamed({ ...release, signal });
  const before = await listProjectContainers(docker, projectName, { signal });
  if (await isUpToDate(release, before, signal)) {
    const services = judgeServices(expected, before, (each) => glance(each, Date.now()));
    onServices(services);
    if (services.every(({ outcome }) => outcome === "good")) {
      return { outcome: "healthy", services, started: false, composeSaid: "" };
    }
  }

  // Ended with us, whatever ends us: Compose would go on waiting for services that have failed.
  const stop = new AbortController();
  const up = composeUp(docker, flags, { signal: AbortSignal.any([signal, stop.signal]) });
  up.catch(() => undefined);
  try {
    const health = await watchHealth({
      docker,
      engineIsLocal,
      projectName,
      expected,
      before,
      up,
      timeoutMs,
      signal,
      onServices,
    });
    const composeSaid = health.outcome === "up-failed" ? (await up).stderr : "";
    return { ...health, started: true, composeSaid };
  } finally {
    stop.abort();
    await up.catch(() => undefined);
  }
}

/** Whether every container is what Compose would make now, from the image that the bundle has. */
async function isUpToDate(
  { docker, flags, manifest, expected, store }: ReleaseToStart,
  containers: readonly ContainerFacts[],
  signal: AbortSignal,
): Promise<boolean> {
  if (containers.length === 0) return false;
  const hashes = await readConfigHashes(docker, flags, { signal });
  const names = new Set(expected.map(({ name }) => name));
  if (containers.some(({ service }) => service === undefined || !names.has(service))) return false;
  return expected.every(({ name, replicas }) => {
    const own = containers.filter(({ service }) => service === name);
    const imageId = imageIdOf(name, manifest, store);
    return (
      own.length === replicas &&
      own.every((each) => each.configHash === hashes.get(name) && each.imageId === imageId)
    );
  });
}

function imageIdOf(service: string, manifest: Manifest, store: ImageStore): string | undefined {
  const tag = manifest.services.find(({ name }) => name === service)?.image;
  const image: BundledImage | undefined = manifest.images.find((each) => each.tag === tag);
  return image && expectedImageId(image, store);
}
