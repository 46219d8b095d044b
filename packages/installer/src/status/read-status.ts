import {
  type DockerContext,
  type ImageStore,
  listProjectContainers,
  readComposeModel,
  readEngineFacts,
} from "@drybag/docker";
import type { Finding } from "@drybag/errors";
import type { ServiceLine } from "@drybag/terminal";
import { checkLine, watchChecks } from "../checks/watch-checks.ts";
import { type ExpectedService, expectedServices } from "../health/expected-state.ts";
import {
  endedUnexpectedly,
  type JudgedService,
  judgeServices,
  serviceLine,
} from "../health/judge-services.ts";
import { glance } from "../health/observer.ts";
import { expectedImageId, readImageStates } from "../images/image-state.ts";
import { publishedPorts } from "../install/install-report.ts";
import { releaseFlags } from "../release/release-flags.ts";
import type { InstalledRelease } from "../site/current-release.ts";
import { readSiteValues } from "../tasks/site-values.ts";

/** A stack as it is now, against what was installed. */
export interface StackStatus {
  name: string;
  version: string;
  release: string;
  folder: string;
  healthy: boolean;
  services: (ServiceLine & { ports: string[] })[];
  /** Of the release's images. */
  images: { tag: string; ok: boolean; problem?: string }[];
  /** Each tried once. */
  checks: ServiceLine[];
  findings: Finding[];
}

/** One look: reads nothing from the stick and waits for nothing. */
export async function readStatus(
  docker: DockerContext,
  name: string,
  release: InstalledRelease,
  { engineIsLocal, signal }: { engineIsLocal: boolean; signal: AbortSignal },
): Promise<StackStatus> {
  const { manifest, folder } = release;
  const engine = await readEngineFacts(docker, { signal });
  const model = await readComposeModel(docker, releaseFlags(manifest, folder, name), { signal });
  const containers = await listProjectContainers(docker, name, { signal });
  const states = await readImageStates(docker, manifest.images, engine.imageStore, { signal });
  const expected = expectedServices(model, manifest.services);
  const services = judgeServices(expected, containers, (each) => glance(each, Date.now()));

  const images = states.map(({ image, problem }) => ({
    tag: image.tag,
    ok: problem === undefined,
    ...(problem === undefined ? {} : { problem }),
  }));
  const findings = [...endedUnexpectedly(services), ...otherImages(services, release, engine.imageStore)];
  const isGood = services.every(({ outcome }) => outcome === "good");
  const checks = await tryChecks(docker, name, release, { engineIsLocal, expected, signal });
  const checksGood = checks.every(({ ok }) => ok);
  return {
    name,
    version: manifest.version,
    release: release.name,
    folder,
    healthy:
      isGood &&
      checksGood &&
      images.every(({ ok }) => ok) &&
      findings.every(({ severity }) => severity !== "error"),
    services: services.map((service) => ({ ...serviceLine(service), ports: portsOf(service) })),
    images,
    checks,
    findings,
  };
}

async function tryChecks(
  docker: DockerContext,
  projectName: string,
  { manifest, folder }: InstalledRelease,
  around: { engineIsLocal: boolean; expected: readonly ExpectedService[]; signal: AbortSignal },
): Promise<ServiceLine[]> {
  const { checks = [] } = manifest;
  if (checks.length === 0) return [];
  const flags = releaseFlags(manifest, folder, projectName);
  const values = await readSiteValues(docker, manifest, flags, around.signal);
  const { results } = await watchChecks({ docker, projectName, checks, values, once: true, ...around });
  return results.map(checkLine);
}

/** Containers that were made from something else than the release's image. */
export function otherImages(
  services: readonly JudgedService[],
  { manifest }: InstalledRelease,
  store: ImageStore,
): Finding[] {
  return services.flatMap(({ expected, containers }) => {
    const tag = manifest.services.find(({ name }) => name === expected.name)?.image;
    const image = manifest.images.find((each) => each.tag === tag);
    if (!image) return [];
    return containers
      .filter(({ container }) => container.imageId !== expectedImageId(image, store))
      .map(({ container }) => ({
        code: "container-image",
        severity: "error" as const,
        message: `${container.name} does not run the image ${image.tag} of this release.`,
        remedy: "Install the bundle again: it starts what was installed.",
      }));
  });
}

function portsOf({ containers }: JudgedService): string[] {
  return [...new Set(containers.flatMap(({ container }) => publishedPorts(container)))];
}
