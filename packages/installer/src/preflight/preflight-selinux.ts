import type { ComposeModel } from "@drybag/docker";
import type { Finding } from "@drybag/errors";

/**
 * With SELinux, a container may read a folder of the host only where that has a label for containers: `:z` or `:Z` gives it one. The
 * engine says whether it applies SELinux at all.
 */
export function checkSelinux(model: ComposeModel, securityOptions: readonly string[]): Finding[] {
  if (!securityOptions.some((option) => option.split(",")[0] === "selinux")) return [];
  const services = Object.entries(model.services ?? {})
    .filter(([, { volumes = [] }]) => volumes.some(({ type, bind }) => type === "bind" && !bind?.selinux))
    .map(([name]) => name);
  if (services.length === 0) return [];
  return [
    {
      code: "selinux-mounts",
      severity: "warning",
      message: `The engine applies SELinux, and ${services.join(", ")} mount${services.length === 1 ? "s" : ""} files of this server without a label for containers.`,
      remedy:
        "Where a service may not read them: write ':z' behind the mount in the Compose file and pack again, or 'chcon -Rt container_file_t' the folder here.",
    },
  ];
}
