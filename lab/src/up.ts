import { existsSync } from "node:fs";
import { join } from "node:path";
import { type EngineTools, provideEngineTools } from "./debian/engine-tools.ts";
import { tool } from "./debian/tool.ts";
import { labDown } from "./down.ts";
import type { Engine } from "./engine/engine.ts";
import { ensureEngine } from "./engine/ensure-engine.ts";
import { findHostEngine } from "./host-engine.ts";
import { describeLabEngine, type Lab, type LabOptions } from "./lab.ts";
import { LabError } from "./lab-error.ts";
import { takeLock } from "./lab-lock.ts";
import { type LabPaths, planEnginePaths, planLabPaths } from "./lab-paths.ts";
import { type EnginePlan, type LabPlan, planLab } from "./lab-plan.ts";
import { readLabRecord, writeJsonFile } from "./lab-record.ts";
import { publishImage } from "./publish-image.ts";
import { requireOwnFolder } from "./state-folder.ts";
import { listAbsentFolders } from "./system/machine-folders.ts";
import { checkRequirements } from "./system/requirements.ts";
import { provideSystemTools } from "./system-tools.ts";

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
  await requireOwnFolder(paths);
  const plan = planLab({ ...options, name }, await readLabRecord(paths.recordFile));
  await claimFolder(paths, plan);

  const toolOptions = { environment, toolsFolder: paths.toolsFolder, signal, onProgress };
  const system = await provideSystemTools(toolOptions);
  const tools = new Map<string, EngineTools>();
  for (const { engine } of plan.engines) tools.set(engine, await provideEngineTools(engine, toolOptions));
  const registry = plan.connectedHost
    ? undefined
    : {
        program: await tool("docker-registry", toolOptions),
        storage: join(paths.registryRoot, plan.registry),
      };

  const engines: Record<string, Engine> = {};
  const start = async (engine: EnginePlan) => {
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
    engines[engine.name] = describeLabEngine(engine, planEnginePaths(paths, engine.name), facts, place);
  };
  // All of them, also when one fails: nothing may go on behind the lock that is let go then.
  const results = await Promise.allSettled(plan.engines.map(start));
  for (const result of results) if (result.status === "rejected") throw result.reason;
  if (plan.connectedHost) engines.connected = await findHostEngine(environment.path, system.nsenter);
  return assembleLab({ ...options, name }, plan, engines);
}

/** From here on the lab is known: to `down`, and to others who would tidy up after the last lab. */
async function claimFolder(paths: LabPaths, plan: LabPlan): Promise<void> {
  await using _lock = await takeLock(paths.machineLockFile);
  if (!existsSync(paths.machineFoldersFile)) {
    await writeJsonFile(paths.machineFoldersFile, listAbsentFolders());
  }
  await writeJsonFile(paths.recordFile, plan);
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
