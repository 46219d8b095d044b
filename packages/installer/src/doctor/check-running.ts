import {
  type ContainerFacts,
  type DockerContext,
  type EngineFacts,
  listProjectContainers,
  readComposeModel,
  readConfigHashes,
} from "@drybag/docker";
import type { Finding } from "@drybag/errors";
import { expectedServices } from "../health/expected-state.ts";
import { endedUnexpectedly, type JudgedService, judgeServices } from "../health/judge-services.ts";
import { glance } from "../health/observer.ts";
import { readImageStates } from "../images/image-state.ts";
import { releaseFlags } from "../release/release-flags.ts";
import type { InstalledStack } from "../site/installed-stacks.ts";
import { otherImages } from "../status/read-status.ts";
import { checkOffline } from "./check-offline.ts";

const INSTALL_AGAIN = "Install the bundle again: it loads what is missing and starts what was installed.";

/** What the engine has and runs, against the release. Throws `docker-failed`, `project-invalid`. */
export async function checkRunning(
  docker: DockerContext,
  { name, current }: InstalledStack,
  engine: EngineFacts,
  signal: AbortSignal,
): Promise<Finding[]> {
  const { manifest, folder } = current;
  const flags = releaseFlags(manifest, folder, name);
  const images = await readImageStates(docker, manifest.images, engine.imageStore, { signal });
  const model = await readComposeModel(docker, flags, { signal });
  const containers = await listProjectContainers(docker, name, { signal });
  const hashes = await readConfigHashes(docker, flags, { signal });
  const expected = expectedServices(model, manifest.services);
  const services = judgeServices(expected, containers, (each) => glance(each, Date.now()));
  return [
    ...images.flatMap(({ image, problem }) =>
      problem === undefined ? [] : [imageDiffers(image.tag, problem)],
    ),
    ...checkOffline(model, manifest),
    ...otherImages(services, current, engine.imageStore),
    ...checkContainers(containers, hashes, new Set(expected.map((each) => each.name))),
    ...services.flatMap(unwell),
    ...endedUnexpectedly(services),
  ];
}

function imageDiffers(tag: string, problem: string): Finding {
  return {
    code: "image-differs",
    severity: "error",
    message: `The image ${tag} ${problem}.`,
    remedy: INSTALL_AGAIN,
  };
}

/** Exported for its test. */
export function checkContainers(
  containers: readonly ContainerFacts[],
  hashes: ReadonlyMap<string, string>,
  services: ReadonlySet<string>,
): Finding[] {
  return containers.flatMap((container): Finding[] => {
    if (container.service === undefined || !services.has(container.service)) {
      return [
        {
          code: "container-orphan",
          severity: "warning",
          message: `${container.name} belongs to no service of this release.`,
          remedy: "Install the bundle again: it removes what is not of the release.",
        },
      ];
    }
    const wanted = hashes.get(container.service);
    if (wanted === undefined || container.configHash === wanted) return [];
    return [
      {
        code: "container-outdated",
        severity: "error",
        message: `${container.name} was made with other settings or files than the release has now.`,
        remedy: "Install the bundle again: it makes the container anew.",
      },
    ];
  });
}

function unwell({ expected, outcome, state, detail }: JudgedService): Finding[] {
  if (outcome === "good") return [];
  return [
    {
      code: "unhealthy",
      severity: outcome === "failed" ? "error" : "warning",
      message: `${expected.name} is ${state}${detail ? ` (${detail})` : ""}.`,
      remedy: `Its log tells more: drybag-site logs --service ${expected.name}`,
    },
  ];
}
