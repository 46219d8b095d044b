import { readdir, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { tool } from "./debian/tool.ts";
import { removeShimSockets } from "./engine/shim-sockets.ts";
import type { LabEnvironment } from "./lab-environment.ts";
import { takeLock } from "./lab-lock.ts";
import { type LabPaths, planLabPaths } from "./lab-paths.ts";
import { readJsonFile, readLabRecord } from "./lab-record.ts";
import { findProcesses } from "./process/find-processes.ts";
import { killProcesses } from "./process/kill-processes.ts";
import { deleteStateFolder, requireOwnFolder } from "./state-folder.ts";
import { listLabs } from "./status.ts";
import { removeCgroups, thawCgroups } from "./system/cgroups.ts";
import { removeEmptyFolders } from "./system/machine-folders.ts";
import { unmountBelow } from "./system/mounts.ts";
import { deleteNamespace, listNamespaces, namespaceInodes } from "./system/network-namespace.ts";
import { requireRoot } from "./system/requirements.ts";

export interface LabDownOptions {
  name?: string | undefined;
  environment: LabEnvironment;
  /** Also forgets published images, and the unpacked tools when no other lab is there. */
  purge?: boolean | undefined;
  onProgress?: ((line: string) => void) | undefined;
}

/**
 * Ends and deletes a lab, whatever state it is in; without one it does nothing. What the lab left behind is known by
 * its names and not by its record, so that this works after a crash too.
 */
export async function labDown(options: LabDownOptions): Promise<void> {
  requireRoot();
  const paths = planLabPaths(options.name ?? "default", options.environment);
  await requireOwnFolder(paths);
  await using lock = await takeLock(paths.lockFile);
  const registry = (await readLabRecord(paths.recordFile))?.registry ?? paths.name;
  await endProcesses(paths);
  const umount = () => tool("umount", options);
  await unmountBelow(paths.folder, umount);
  await removeCgroups(paths.cgroup);
  await deleteNamespaces(paths, options);
  for (const engine of await readdir(paths.folder).catch(() => [])) {
    await removeShimSockets(join(paths.folder, engine, "run"));
  }
  await deleteStateFolder(paths);
  await leaveMachine(paths, options.environment, umount);
  if (options.purge) await purge(paths, registry, options);
  await lock.discard();
  await rmdir(options.environment.stateRoot).catch(() => {}); // another lab may be there
}

async function endProcesses(paths: LabPaths): Promise<void> {
  await thawCgroups(paths.cgroup);
  const namespaces = await namespaceInodes(await listNamespaces(paths.namespacePrefix));
  await killProcesses(() => findProcesses({ namespaces, cgroup: paths.cgroup, folder: paths.folder }));
}

async function deleteNamespaces(paths: LabPaths, options: LabDownOptions): Promise<void> {
  const namespaces = await listNamespaces(paths.namespacePrefix);
  if (namespaces.length === 0) return;
  const ip = await tool("ip", options);
  for (const namespace of namespaces) await deleteNamespace(namespace, ip);
}

async function purge(paths: LabPaths, registry: string, options: LabDownOptions): Promise<void> {
  const { environment, onProgress } = options;
  // An `up` writes its record before it asks for tools, and asks for them under this lock.
  await using _lock = await takeLock(join(paths.toolsFolder, "tools.lock"));
  const others = await listLabs(environment);
  const records = others.map((name) => readLabRecord(planLabPaths(name, environment).recordFile));
  if ((await Promise.all(records)).some((record) => record?.registry === registry)) {
    onProgress?.(`the published images stay: another lab uses the registry ${registry}`);
  } else {
    await rm(join(paths.registryRoot, registry), { recursive: true, force: true });
  }
  if (others.length > 0) {
    onProgress?.(`the unpacked engines stay: lab ${others.join(", ")} needs them`);
    return;
  }
  await rm(paths.toolsFolder, { recursive: true, force: true });
  for (const folder of [paths.registryRoot, environment.cacheRoot]) await rmdir(folder).catch(() => {});
}

async function leaveMachine(
  paths: LabPaths,
  environment: LabEnvironment,
  umount: () => Promise<string>,
): Promise<void> {
  await using lock = await takeLock(paths.machineLockFile);
  if ((await listLabs(environment)).length > 0) return;
  await removeEmptyFolders((await readJsonFile<string[]>(paths.machineFoldersFile)) ?? [], umount);
  await rm(paths.machineFoldersFile, { force: true });
  await lock.discard();
}
