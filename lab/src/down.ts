import { readdir, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { tool } from "./debian/tool.ts";
import type { LabEnvironment } from "./lab-environment.ts";
import { takeLock } from "./lab-lock.ts";
import { type LabPaths, planLabPaths } from "./lab-paths.ts";
import { readLabRecord } from "./lab-record.ts";
import { findProcesses } from "./process/find-processes.ts";
import { killProcesses } from "./process/kill-processes.ts";
import { removeCgroups, thawCgroups } from "./system/cgroups.ts";
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
  await using lock = await takeLock(paths.lockFile);
  const record = await readLabRecord(paths.recordFile);
  const namespaces = await listNamespaces(paths.namespacePrefix);
  await thawCgroups(paths.cgroup);
  const inodes = await namespaceInodes(namespaces);
  await killProcesses(() =>
    findProcesses({ namespaces: inodes, cgroup: paths.cgroup, folder: paths.folder }),
  );
  await unmountBelow(paths.folder);
  await removeCgroups(paths.cgroup);
  if (namespaces.length > 0) {
    const ip = await tool("ip", options);
    for (const namespace of namespaces) await deleteNamespace(namespace, ip);
  }
  await rm(paths.folder, { recursive: true, force: true });
  if (options.purge) await purge(paths, record?.registry ?? paths.name, options);
  await lock.discard();
  await rmdir(options.environment.stateRoot).catch(() => {}); // another lab may be there
}

async function purge(paths: LabPaths, registry: string, options: LabDownOptions): Promise<void> {
  await rm(join(paths.registryRoot, registry), { recursive: true, force: true });
  const others = (await readdir(options.environment.stateRoot)).filter((name) => !name.endsWith(".lock"));
  if (others.length > 0) {
    options.onProgress?.(`the unpacked engines stay: lab ${others.join(", ")} uses them`);
    return;
  }
  await rm(paths.toolsFolder, { recursive: true, force: true });
}
