import { rm } from "node:fs/promises";
import type { EnginePaths } from "../lab-paths.ts";
import { findProcesses } from "../process/find-processes.ts";
import { killProcesses } from "../process/kill-processes.ts";
import { removeCgroups, thawCgroups } from "../system/cgroups.ts";
import { unmountBelow } from "../system/mounts.ts";
import { deleteNamespace, namespaceInodes } from "../system/network-namespace.ts";
import type { SystemTools } from "../system-tools.ts";
import { removeShimSockets } from "./shim-sockets.ts";

/** Pulls the plug: ends all that an engine started and undoes what it did to the machine. Its data root stays. */
export async function resetEngine(paths: EnginePaths, system: SystemTools): Promise<void> {
  await thawCgroups(paths.cgroup);
  const namespaces = await namespaceInodes([paths.namespace]);
  await killProcesses(() => findProcesses({ namespaces, cgroup: paths.cgroup, folder: paths.folder }));
  await unmountBelow(paths.folder, system.umount);
  await removeCgroups(paths.cgroup);
  await deleteNamespace(paths.namespace, system.ip);
  await removeShimSockets(paths.execRoot);
  for (const path of [paths.socket, paths.pidFile, paths.processFile, paths.execRoot]) {
    await rm(path, { recursive: true, force: true });
  }
}
