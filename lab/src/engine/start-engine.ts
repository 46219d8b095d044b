import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { EngineTools } from "../debian/engine-tools.ts";
import { LabError } from "../lab-error.ts";
import type { EnginePaths } from "../lab-paths.ts";
import type { EnginePlan } from "../lab-plan.ts";
import { writeJsonFile } from "../lab-record.ts";
import { isRunning } from "../process/process-identity.ts";
import { startDetached } from "../process/start-detached.ts";
import { runCommand } from "../run-command.ts";
import { mountsBelow } from "../system/mounts.ts";
import { namespaceFile } from "../system/network-namespace.ts";
import type { SystemTools } from "../system-tools.ts";
import { waitFor } from "../wait-for.ts";
import { planEngineConfig } from "./engine-config.ts";
import { type EngineFacts, readEngineFacts } from "./engine-facts.ts";

const startTimeoutMs = 60_000;
const systemPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

export interface EngineStart {
  plan: EnginePlan;
  paths: EnginePaths;
  tools: EngineTools;
  system: SystemTools;
  /** Address of the registry that pulls from Docker Hub go to first. */
  mirror?: string | undefined;
  signal?: AbortSignal | undefined;
}

/** Starts dockerd in its namespace, which must be there, and waits until it answers. */
export async function startEngine(start: EngineStart): Promise<EngineFacts> {
  const { plan, paths, tools, system, signal } = start;
  await mkdir(paths.folder, { recursive: true });
  await prepareDataRoot(start);
  await prepareDockerConfig(paths, tools);
  await writeJsonFile(paths.configFile, planEngineConfig(plan, paths, start.mirror));
  await rm(paths.logFile, { force: true });
  const dockerd = await startDetached(
    [
      system.nsenter,
      `--net=${namespaceFile(paths.namespace)}`,
      join(tools.bin, "dockerd"),
      "--config-file",
      paths.configFile,
    ],
    {
      logFile: paths.logFile,
      processFile: paths.processFile,
      // Not our own environment: a proxy or a DOCKER_ variable of the user's is not for this engine.
      env: {
        PATH: `${tools.bin}:${system.iptablesFolder}:${systemPath}`,
        ...(tools.libraryPath === undefined ? {} : { LD_LIBRARY_PATH: tools.libraryPath }),
      },
    },
  );
  const facts = await waitFor(
    async () => {
      const answer = await readEngineFacts(paths.socket);
      if (answer === undefined && !(await isRunning(dockerd))) throw await startFailure(plan, paths);
      return answer;
    },
    { timeoutMs: startTimeoutMs, signal },
  );
  if (facts === undefined) throw await startFailure(plan, paths);
  return facts;
}

async function prepareDataRoot({ plan, paths, system, signal }: EngineStart): Promise<void> {
  await mkdir(paths.dataRoot, { recursive: true });
  if (plan.dataRootSizeBytes === undefined) return;
  if (!existsSync(paths.dataImage)) {
    const temporary = `${paths.dataImage}.new`;
    await writeFile(temporary, "");
    await truncate(temporary, plan.dataRootSizeBytes);
    await runCommand(await system.mkfsExt4(), ["-q", "-F", "-m", "0", temporary], {
      doing: "make the data root's file system",
      code: "lab-start",
      signal,
    });
    await rename(temporary, paths.dataImage);
  }
  if ((await mountsBelow(paths.dataRoot)).includes(paths.dataRoot)) return;
  await runCommand(await system.mount(), ["-o", "loop", paths.dataImage, paths.dataRoot], {
    doing: "mount the data root",
    code: "lab-requirement",
    hint: "a data root of limited size needs loop devices and ext4",
    signal,
  });
}

async function prepareDockerConfig(paths: EnginePaths, tools: EngineTools): Promise<void> {
  const plugins = join(paths.dockerConfig, "cli-plugins");
  await rm(plugins, { recursive: true, force: true });
  await mkdir(plugins, { recursive: true });
  for (const name of await readdir(tools.cliPlugins).catch(() => [])) {
    await symlink(join(tools.cliPlugins, name), join(plugins, name));
  }
}

async function startFailure(plan: EnginePlan, paths: EnginePaths): Promise<LabError> {
  const log = await readFile(paths.logFile, "utf8").catch(() => "");
  const last = log.trimEnd().split("\n").at(-1) ?? "";
  return new LabError("lab-start", `the engine ${plan.name} does not start: ${last}`, {
    hint: `read its log: ${paths.logFile}`,
  });
}
