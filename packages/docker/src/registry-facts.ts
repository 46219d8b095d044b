import { JSON_TEMPLATE } from "./engine-facts.ts";
import { type DockerContext, type RunOptions, runDocker } from "./run-docker.ts";

/** How the engine reaches registries. */
export interface RegistryFacts {
  /** Addresses that it asks before Docker Hub, in their order. */
  mirrors: string[];
  /** Registries (`host:port`) that it may talk to without TLS, beside those on this machine. */
  insecure: string[];
  /** Networks (CIDR) in which it may talk to every registry so. */
  insecureNetworks: string[];
}

/** How long an engine may take to answer, in milliseconds. */
const ANSWER_TIMEOUT_MS = 30_000;

interface InfoWithRegistries {
  RegistryConfig?: {
    Mirrors?: string[] | null;
    InsecureRegistryCIDRs?: string[] | null;
    IndexConfigs?: Record<string, { Name?: string; Secure?: boolean }> | null;
  } | null;
}

/** Mirrors and insecure registries of daemon.json; none where no engine answers. */
export async function readRegistryFacts(
  context: DockerContext,
  options: RunOptions = {},
): Promise<RegistryFacts> {
  const { exitCode, stdout } = await runDocker(context, ["info", "--format", JSON_TEMPLATE], {
    ...options,
    allowExitCodes: [1],
    timeoutMs: ANSWER_TIMEOUT_MS,
  });
  const config = exitCode === 0 ? (JSON.parse(stdout) as InfoWithRegistries).RegistryConfig : undefined;
  return {
    mirrors: config?.Mirrors ?? [],
    insecure: Object.entries(config?.IndexConfigs ?? {}).flatMap(([name, index]) =>
      index.Secure === false ? [name] : [],
    ),
    insecureNetworks: config?.InsecureRegistryCIDRs ?? [],
  };
}
