import type { ComposeModel, DockerContext } from "@drybag/docker";
import type { Finding } from "@drybag/errors";
import type { Manifest } from "@drybag/format";
import { checkOffline } from "../doctor/check-offline.ts";
import { type ImageState, readImageStates, stateOfNone } from "../images/image-state.ts";
import { type LoadPlan, planLoad } from "../images/plan-load.ts";
import { checkBindMounts } from "./preflight-bind-mounts.ts";
import { checkData } from "./preflight-data.ts";
import { checkDisk } from "./preflight-disk.ts";
import { checkEngine } from "./preflight-engine.ts";
import { checkPorts, wantedPorts } from "./preflight-ports.ts";
import { checkSelinux } from "./preflight-selinux.ts";
import { checkContainerNames, checkForeignStack, checkMemory } from "./preflight-site.ts";
import { type HostFacts, readHost } from "./read-host.ts";

export interface HostCheck {
  host: HostFacts;
  /** Of the bundle's images, as the engine has them; empty where it could not be asked. */
  images: ImageState[];
  load: LoadPlan;
  findings: Finding[];
}

/** All that can be told about this server without knowing the site's settings. Changes nothing. */
export async function checkHost(input: {
  docker: DockerContext;
  manifest: Manifest;
  projectName: string;
  /** Folder of all stacks. */
  dir: string;
  engineIsLocal: boolean;
  /** Whether Drybag has installed a release of this stack here. */
  isKnown: boolean;
  signal: AbortSignal;
}): Promise<HostCheck> {
  const { docker, manifest, projectName, dir, engineIsLocal, isKnown, signal } = input;
  const host = await readHost(docker, projectName, signal);
  const { engine, composeVersion } = host;
  const findings = [...host.findings];
  if (!engine) {
    const load = planLoad(manifest, manifest.images.map(stateOfNone), "classic");
    return { host, images: [], load, findings };
  }

  const images = await readImageStates(docker, manifest.images, engine.imageStore, { signal });
  const load = planLoad(manifest, images, engine.imageStore);
  findings.push(
    ...checkEngine(manifest, engine, composeVersion),
    ...(await checkDisk({ engine, plan: load, manifest, dir, engineIsLocal })),
    ...checkForeignStack(host.ownContainers, projectName, isKnown),
  );
  return { host, images, load, findings };
}

/** What the project itself, with the site's settings, asks of this server. */
export async function checkProject(input: {
  model: ComposeModel;
  manifest: Manifest;
  /** Where the model's paths begin. */
  releaseFolder: string;
  host: HostFacts;
  projectName: string;
  engineIsLocal: boolean;
}): Promise<Finding[]> {
  const { model, manifest, releaseFolder, host, projectName, engineIsLocal } = input;
  return [
    ...checkOffline(model, manifest).map(asForeignBundle),
    ...checkBindMounts(model, manifest, releaseFolder),
    ...checkData(model, host.unnamedVolumes, manifest.backup),
    ...(await checkPorts(wantedPorts(model), host.allContainers, projectName, engineIsLocal)),
    ...checkContainerNames(model, host.allContainers, projectName),
    ...(host.engine ? checkMemory(reservedBytes(model), host.engine.memoryBytes) : []),
    ...(host.engine ? checkSelinux(model, host.engine.securityOptions) : []),
  ];
}

/** Before anything of the release is in place, nobody but who wrote the bundle can have changed it. */
function asForeignBundle({ message }: Finding): Finding {
  return {
    code: "bundle-not-offline",
    severity: "error",
    message,
    remedy: "Drybag did not write this bundle as it is: do not use it, and ask who made it.",
  };
}

function reservedBytes(model: ComposeModel): number {
  return Object.values(model.services ?? {}).reduce((total, { deploy, mem_reservation, scale }) => {
    const each = Number(deploy?.resources?.reservations?.memory ?? mem_reservation ?? 0);
    return total + each * (deploy?.replicas ?? scale ?? 1);
  }, 0);
}
