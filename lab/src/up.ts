import { existsSync } from "node:fs";
import { join } from "node:path";
import { type EngineTools, provideEngineTools } from "./debian/engine-tools.ts";
import { tool } from "./debian/tool.ts";
import type { Engine } from "./engine/engine.ts";
import { ensureEngine } from "./engine/ensure-engine.ts";
import { findHostEngine } from "./host-engine.ts";
import { assembleLab, describeLabEngine, type Lab, type LabOptions } from "./lab.ts";
import { type LabLock, takeLock } from "./lab-lock.ts";
import { type LabPaths, planEnginePaths, planLabPaths } from "./lab-paths.ts";
import { type EnginePlan, type LabPlan, planLab } from "./lab-plan.ts";
import { readLabRecord, writeJsonFile } from "./lab-record.ts";
import { requireOwnFolder } from "./state-folder.ts";
import { listAbsentFolders } from "./system/machine-folders.ts";
import { checkRequirements } from "./system/requirements.ts";
import { provideSystemTools } from "./system-tools.ts";

/**
 * Brings a lab up, or makes whole what is missing of it; a lab that is up is left as it is. When it fails, what runs
 * already goes on running: the next `labUp` takes it from there, `labDown` ends it.
 * @throws LabError `lab-requirement` where it cannot run, `lab-conflict` when a lab of this name is another one.
 */
export async function labUp(options: LabOptions): Promise<Lab> {
  const { environment, signal, onProgress } = options;
  const paths = planLabPaths(options.name ?? "default", environment);
  planEnginePaths(paths, "connected");
  await checkRequirements(environment.stateRoot, signal);
  await requireOwnFolder(paths);
  await using lock = await takeLock(paths.lockFile, signal);
  const { plan, hostEngine } = await claimLab(options, paths, lock);

  const toolOptions = { environment, toolsFolder: paths.toolsFolder, signal, onProgress };
  const system = await provideSystemTools(toolOptions);
  const tools = new Map<string, EngineTools>();
  for (const { engine } of plan.engines) tools.set(engine, await provideEngineTools(engine, toolOptions));
  const storage = join(paths.registryRoot, plan.registry);
  const registry = plan.connectedHost
    ? undefined
    : { program: await tool("docker-registry", toolOptions), storage };

  const start = async (engine: EnginePlan): Promise<Engine> => {
    const engineTools = tools.get(engine.engine);
    if (engineTools === undefined) throw new Error(`no tools for engine ${engine.engine}`);
    const facts = await ensureEngine({
      plan: engine,
      lab: paths,
      tools: engineTools,
      system,
      registry: engine.role === "connected" ? registry : undefined,
      signal,
      onProgress,
    });
    const place = { engine: engineTools, nsenter: system.nsenter, path: environment.path };
    return describeLabEngine(engine, planEnginePaths(paths, engine.name), facts, place);
  };
  // All of them, also when one fails: nothing may go on behind the lock that is let go then.
  const results = await Promise.allSettled(plan.engines.map(start));
  const engines = hostEngine === undefined ? [] : [hostEngine];
  for (const result of results) {
    if (result.status === "rejected") throw result.reason;
    engines.push(result.value);
  }
  return assembleLab(options, plan, engines, labUp);
}

/** Decides what the lab is and writes that down before anything is started. */
async function claimLab(
  options: LabOptions,
  paths: LabPaths,
  lock: LabLock,
): Promise<{ plan: LabPlan; hostEngine: Engine | undefined }> {
  try {
    const plan = planLab({ ...options, name: paths.name }, await readLabRecord(paths.recordFile));
    const hostEngine = plan.connectedHost ? await findHostEngine(options.environment.path) : undefined;
    await claimFolder(paths, plan);
    return { plan, hostEngine };
  } catch (error) {
    if (!existsSync(paths.folder)) await lock.discard(); // there is no lab that `down` could clean up after
    throw error;
  }
}

/** From here on the lab is known: to `down`, and to others who would tidy up after the last lab. */
async function claimFolder(paths: LabPaths, plan: LabPlan): Promise<void> {
  await using _lock = await takeLock(paths.machineLockFile);
  if (!existsSync(paths.machineFoldersFile)) {
    await writeJsonFile(paths.machineFoldersFile, listAbsentFolders());
  }
  await writeJsonFile(paths.recordFile, plan);
}
