import {
  type ContainerFacts,
  type DockerContext,
  type EngineFacts,
  listAllContainers,
  listProjectContainers,
  listUnnamedVolumes,
  readComposeVersion,
  readEngineFacts,
  type UnnamedVolume,
} from "@drybag/docker";
import { type DrybagError, type Finding, isDrybagError } from "@drybag/errors";

/** This server, as far as it could be asked. */
export interface HostFacts {
  engine: EngineFacts | undefined;
  composeVersion: string | undefined;
  /** Of this stack's Compose project, whoever started them. */
  ownContainers: ContainerFacts[];
  allContainers: ContainerFacts[];
  /** That the stack's containers have. */
  unnamedVolumes: UnnamedVolume[];
  /** Why something could not be asked. */
  findings: Finding[];
}

/** Asks the engine and Compose. What they refuse to answer becomes a finding, so that all of it is seen at once. */
export async function readHost(
  docker: DockerContext,
  projectName: string,
  signal: AbortSignal,
): Promise<HostFacts> {
  const findings: Finding[] = [];
  const ask = async <T>(question: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await question();
    } catch (error) {
      signal.throwIfAborted();
      if (!isDrybagError(error)) throw error;
      if (!findings.some(({ code }) => code === error.code)) findings.push(findingOf(error));
      return undefined;
    }
  };
  const [engine, composeVersion] = await Promise.all([
    ask(() => readEngineFacts(docker, { signal })),
    ask(() => readComposeVersion(docker, { signal })),
  ]);
  const [ownContainers, allContainers, unnamedVolumes] = engine
    ? await Promise.all([
        listProjectContainers(docker, projectName, { signal }),
        listAllContainers(docker, { signal }),
        listUnnamedVolumes(docker, projectName, { signal }),
      ])
    : [[], [], []];
  return { engine, composeVersion, ownContainers, allContainers, unnamedVolumes, findings };
}

function findingOf({ code, message, hint }: DrybagError): Finding {
  return { code, severity: "error", message, ...(hint === undefined ? {} : { remedy: hint }) };
}
