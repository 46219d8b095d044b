import { readdir } from "node:fs/promises";
import { execa } from "execa";
import { readEngineFacts } from "./engine/engine-facts.ts";
import { hostSocket } from "./host-engine.ts";
import type { LabEnvironment } from "./lab-environment.ts";
import { planEnginePaths, planLabPaths } from "./lab-paths.ts";
import { readJsonFile, readLabRecord } from "./lab-record.ts";
import { isRunning, type ProcessIdentity } from "./process/process-identity.ts";

export interface EngineStatus {
  name: string;
  role: "connected" | "site";
  running: boolean;
  /** As it reports it, or the version that was asked for when it does not run. */
  version: string;
  imageStore: "classic" | "containerd";
  socket: string;
  netns: string | undefined;
  dataRoot: string;
  /** Undefined for the machine's own engine: that one is not ours to search. */
  dataRootSizeBytes: number | undefined;
}

export interface LabStatus {
  name: string;
  /** `up` when all of its engines run, `broken` when one does not, `down` when there is no such lab. */
  state: "up" | "broken" | "down";
  engines: EngineStatus[];
}

/** Looks and changes nothing. */
export async function labStatus(options: {
  name?: string | undefined;
  environment: LabEnvironment;
}): Promise<LabStatus> {
  const name = options.name ?? "default";
  const paths = planLabPaths(name, options.environment);
  const plan = await readLabRecord(paths.recordFile);
  if (plan === undefined) return { name, state: "down", engines: [] };
  const engines = await Promise.all(
    plan.engines.map(async (engine): Promise<EngineStatus> => {
      const place = planEnginePaths(paths, engine.name);
      const process = await readJsonFile<ProcessIdentity>(place.processFile);
      const alive = process !== undefined && (await isRunning(process));
      const facts = alive ? await readEngineFacts(place.socket) : undefined;
      return {
        name: engine.name,
        role: engine.role,
        running: facts !== undefined,
        version: facts?.version ?? engine.engine,
        imageStore: facts?.imageStore ?? engine.imageStore,
        socket: place.socket,
        netns: place.namespace,
        dataRoot: place.dataRoot,
        dataRootSizeBytes: await measureFolder(place.dataRoot),
      };
    }),
  );
  if (plan.connectedHost) engines.unshift(await describeHostEngine());
  return { name, state: engines.every(({ running }) => running) ? "up" : "broken", engines };
}

async function describeHostEngine(): Promise<EngineStatus> {
  const facts = await readEngineFacts(hostSocket);
  return {
    name: "connected",
    role: "connected",
    running: facts !== undefined,
    version: facts?.version ?? "unknown",
    imageStore: facts?.imageStore ?? "classic",
    socket: hostSocket,
    netns: undefined,
    dataRoot: facts?.dataRoot ?? "unknown",
    dataRootSizeBytes: undefined,
  };
}

/** Names of the labs that have a folder. */
export async function listLabs(environment: LabEnvironment): Promise<string[]> {
  const entries = await readdir(environment.stateRoot, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}

async function measureFolder(folder: string): Promise<number> {
  // du stays in one file system: what containers mount below is not counted twice. Files come and go: exit code 1.
  const { stdout } = await execa("du", ["--summarize", "--one-file-system", "--block-size=1", folder], {
    reject: false,
  });
  return Number(/^\d+/.exec(stdout)?.[0] ?? 0);
}
