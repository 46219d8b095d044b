import type { EngineTools } from "../debian/engine-tools.ts";
import { takeLock } from "../lab-lock.ts";
import { type LabPaths, planEnginePaths } from "../lab-paths.ts";
import type { EnginePlan } from "../lab-plan.ts";
import { readJsonFile } from "../lab-record.ts";
import { isRunning, type ProcessIdentity } from "../process/process-identity.ts";
import { isRegistryRunning, registryAddress, startRegistry } from "../registry.ts";
import { createNamespace } from "../system/network-namespace.ts";
import type { SystemTools } from "../system-tools.ts";
import { waitFor } from "../wait-for.ts";
import { type EngineFacts, readEngineFacts } from "./engine-facts.ts";
import { resetEngine } from "./reset-engine.ts";
import { startEngine } from "./start-engine.ts";

export interface EngineWish {
  plan: EnginePlan;
  lab: LabPaths;
  tools: EngineTools;
  system: SystemTools;
  /** The registry that stands in for Docker Hub; runs in the engine's namespace. */
  registry?: { program: string; storage: string } | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: ((line: string) => void) | undefined;
}

// An engine that is loading gigabytes on two cores is slow to answer, and still not dead.
const busyTimeoutMs = 60_000;

/** Leaves an engine that runs as it is; starts one that does not, on the data root it had. */
export async function ensureEngine(wish: EngineWish): Promise<EngineFacts> {
  const { plan, lab, tools, system, registry, signal, onProgress } = wish;
  const paths = planEnginePaths(lab, plan.name);
  const place = { nsenter: system.nsenter, namespace: paths.namespace, folder: paths.folder, signal };
  const running = await factsOfRunning(paths.processFile, paths.socket, signal);
  if (running !== undefined) {
    if (registry !== undefined && !(await isRegistryRunning(paths.folder))) {
      await startRegistry({ ...registry, ...place });
    }
    return running;
  }
  onProgress?.(`starting ${plan.name} (engine ${plan.engine}, ${plan.imageStore} image store)`);
  await resetEngine(paths, system);
  {
    await using _lock = await takeLock(lab.machineLockFile, signal);
    await createNamespace(paths.namespace, system, signal);
  }
  if (registry !== undefined) await startRegistry({ ...registry, ...place });
  const mirror = registry === undefined ? undefined : `http://${registryAddress}`;
  const facts = await startEngine({ plan, paths, tools, system, mirror, signal });
  // Debian testing moves on; a newer engine is still an engine, but nobody should take it for the one asked for.
  if (!facts.version.startsWith(`${plan.engine}.`)) {
    onProgress?.(`Debian's engine ${plan.engine} is ${facts.version} by now: ${plan.name} runs that`);
  }
  return facts;
}

async function factsOfRunning(
  processFile: string,
  socket: string,
  signal?: AbortSignal,
): Promise<EngineFacts | undefined> {
  const process = await readJsonFile<ProcessIdentity>(processFile);
  if (process === undefined) return undefined;
  const answer = await waitFor(
    async () => ((await isRunning(process)) ? await readEngineFacts(socket) : "dead"),
    { timeoutMs: busyTimeoutMs, signal },
  );
  return answer === "dead" ? undefined : answer;
}
