import { provideEngineTools } from "./debian/engine-tools.ts";
import { tool } from "./debian/tool.ts";
import type { Engine } from "./engine/engine.ts";
import { readEngineFacts } from "./engine/engine-facts.ts";
import { findHostEngine } from "./host-engine.ts";
import { describeLabEngine } from "./lab.ts";
import type { LabEnvironment } from "./lab-environment.ts";
import { LabError } from "./lab-error.ts";
import { planEnginePaths, planLabPaths } from "./lab-paths.ts";
import { readLabRecord } from "./lab-record.ts";

/** An engine of a lab that is up, by its name. Changes nothing. @throws LabError `lab-not-up`. */
export async function openEngine(options: {
  name?: string | undefined;
  engine: string;
  environment: LabEnvironment;
}): Promise<Engine> {
  const { engine: wanted, environment } = options;
  const name = options.name ?? "default";
  const paths = planLabPaths(name, environment);
  const plan = await readLabRecord(paths.recordFile);
  const hint = `bring it up: scripts/lab up --name ${name}`;
  if (plan === undefined) throw new LabError("lab-not-up", `lab ${name} is not up`, { hint });
  if (plan.connectedHost && wanted === "connected") return findHostEngine(environment.path);
  const engine = plan.engines.find((candidate) => candidate.name === wanted);
  if (engine === undefined) {
    const names = plan.engines.map((candidate) => candidate.name).join(", ");
    throw new LabError("lab-usage", `lab ${name} has no engine ${wanted}`, { hint: `it has ${names}` });
  }
  const enginePaths = planEnginePaths(paths, engine.name);
  const facts = await readEngineFacts(enginePaths.socket);
  if (facts === undefined)
    throw new LabError("lab-not-up", `${wanted} of lab ${name} does not run`, { hint });
  const nsenter = await tool("nsenter", { environment });
  const tools = await provideEngineTools(engine.engine, { toolsFolder: paths.toolsFolder });
  return describeLabEngine(engine, enginePaths, facts, { engine: tools, nsenter, path: environment.path });
}
