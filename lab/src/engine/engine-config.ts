import type { EnginePaths } from "../lab-paths.ts";
import type { EnginePlan } from "../lab-plan.ts";

/** daemon.json: an engine that shares nothing with another, see dockerd(8). */
export function planEngineConfig(
  plan: EnginePlan,
  paths: EnginePaths,
  mirror: string | undefined,
): Record<string, unknown> {
  return {
    hosts: [`unix://${paths.socket}`],
    "data-root": paths.dataRoot,
    "exec-root": paths.execRoot,
    pidfile: paths.pidFile,
    // Without systemd in between, and below one folder, so that what a killed engine leaves is found by its path.
    "exec-opts": ["native.cgroupdriver=cgroupfs"],
    "cgroup-parent": paths.cgroup,
    ...(mirror === undefined ? {} : { "registry-mirrors": [mirror] }),
    ...(plan.engine === "20"
      ? { "deprecated-key-path": `${paths.folder}/key.json` }
      : { features: { "containerd-snapshotter": plan.imageStore === "containerd" } }),
    ...(plan.imageStore === "classic" ? { "storage-driver": "overlay2" } : {}),
  };
}
