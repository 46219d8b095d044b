import { join } from "node:path";
import { type EngineTools, provideEngineTools } from "./debian/engine-tools.ts";
import { tool } from "./debian/tool.ts";
import { labDown } from "./down.ts";
import type { Engine } from "./engine/engine.ts";
import { type EngineFacts, readEngineFacts } from "./engine/engine-facts.ts";
import { resetEngine } from "./engine/reset-engine.ts";
import { startEngine } from "./engine/start-engine.ts";
import { findHostEngine } from "./host-engine.ts";
import { describeLabEngine, type Lab, type LabOptions } from "./lab.ts";
import { LabError } from "./lab-error.ts";
import { takeLock } from "./lab-lock.ts";
import { type LabPaths, planEnginePaths, planLabPaths } from "./lab-paths.ts";
import { type EnginePlan, type LabPlan, planLab } from "./lab-plan.ts";
import { readJsonFile, readLabRecord, writeJsonFile } from "./lab-record.ts";
import { isRunning, type ProcessIdentity } from "./process/process-identity.ts";
import { publishImage } from "./publish-image.ts";
import { isRegistryRunning, registryAddress, startRegistry } from "./registry.ts";
import { createNamespace } from "./system/network-namespace.ts";
import { checkRequirements } from "./system/requirements.ts";
import { provideSystemTools, type SystemTools } from "./system-tools.ts";

/**
 * Brings a lab up, or makes whole what is missing of it; a lab that is up is left as it is.
 * @throws LabError `lab-requirement` where it cannot run, `lab-conflict` when a lab of this name is another one.
 */
export async function labUp(options: LabOptions): Promise<Lab> {
  const { environment, signal, onProgress } = options;
  const name = options.name ?? "default";
  const paths = planLabPaths(name, environment);
  planEnginePaths(paths, "connected");
  await checkRequirements(signal);
  await using _lock = await takeLock(paths.lockFile, signal);
  const plan = planLab({ ...options, name }, await readLabRecord(paths.recordFile));
  await writeJsonFile(paths.recordFile, plan);

  const toolOptions = { environment, toolsFolder: paths.toolsFolder, signal, onProgress };
  const system = await provideSystemTools(toolOptions);
  const tools = new Map<string, EngineTools>();
  for (const { engine } of plan.engines) tools.set(engine, await provideEngineTools(engine, toolOptions));
  const registryProgram = await tool("docker-registry", toolOptions);

  const machine: Machine = { options, paths, plan, system, registryProgram };
  const started = await Promise.all(
    plan.engines.map(async (engine): Promise<[string, Engine]> => {
      const engineTools = tools.get(engine.engine);
      if (engineTools === undefined) throw new Error(`no tools for engine ${engine.engine}`);
      const facts = await ensureEngine(machine, engine, engineTools);
      const place = { engine: engineTools, nsenter: system.nsenter, path: environment.path };
      return [engine.name, describeLabEngine(engine, planEnginePaths(paths, engine.name), facts, place)];
    }),
  );
  if (plan.connectedHost) started.push(["connected", await findHostEngine(environment.path, system.nsenter)]);
  return assembleLab({ ...options, name }, plan, Object.fromEntries(started));
}

interface Machine {
  options: LabOptions;
  paths: LabPaths;
  plan: LabPlan;
  system: SystemTools;
  registryProgram: string;
}

async function ensureEngine(machine: Machine, engine: EnginePlan, tools: EngineTools): Promise<EngineFacts> {
  const { options, system, plan } = machine;
  const { signal, onProgress } = options;
  const paths = planEnginePaths(machine.paths, engine.name);
  const connected = engine.role === "connected";
  const registry = {
    program: machine.registryProgram,
    nsenter: system.nsenter,
    namespace: paths.namespace,
    folder: paths.folder,
    storage: join(machine.paths.registryRoot, plan.registry),
    signal,
  };
  const running = await factsOfRunning(paths.processFile, paths.socket);
  if (running !== undefined) {
    if (connected && !(await isRegistryRunning(paths.folder))) await startRegistry(registry);
    return running;
  }
  onProgress?.(`starting ${engine.name} (engine ${engine.engine}, ${engine.imageStore} image store)`);
  await resetEngine(paths, system.ip);
  signal?.throwIfAborted();
  await createNamespace(paths.namespace, system.ip, signal);
  if (connected) await startRegistry(registry);
  const mirror = connected ? `http://${registryAddress}` : undefined;
  return startEngine({ plan: engine, paths, tools, system, mirror, signal });
}

async function factsOfRunning(processFile: string, socket: string): Promise<EngineFacts | undefined> {
  const process = await readJsonFile<ProcessIdentity>(processFile);
  if (process === undefined || !(await isRunning(process))) return undefined;
  return readEngineFacts(socket);
}

function assembleLab(
  options: LabOptions & { name: string },
  plan: LabPlan,
  engines: Record<string, Engine>,
): Lab {
  const { connected, ...sites } = engines;
  const { site } = sites;
  if (connected === undefined || site === undefined)
    throw new LabError("lab-start", "the lab lacks an engine");
  return {
    name: options.name,
    connected,
    site,
    sites,
    async publish(reference, signal) {
      if (plan.connectedHost) {
        throw new LabError(
          "lab-publish",
          "a lab on this machine's own Docker has no registry to publish into",
          {
            hint: "bring it up without --connected-host",
          },
        );
      }
      await publishImage(connected, reference, signal);
    },
    async addSite(siteName, siteOptions = {}) {
      const { name, environment, signal, onProgress } = options;
      const lab = await labUp({
        name,
        environment,
        signal,
        onProgress,
        sites: [{ name: siteName, ...siteOptions }],
      });
      const added = lab.sites[siteName];
      if (added === undefined) throw new LabError("lab-start", `the site ${siteName} is not there`);
      return added;
    },
    [Symbol.asyncDispose]: () => labDown({ name: options.name, environment: options.environment }),
  };
}
