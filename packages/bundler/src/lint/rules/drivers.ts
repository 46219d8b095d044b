import type { ComposeVolume } from "@drybag/docker";
import type { Finding } from "@drybag/errors";
import { isInside } from "../../project/project-files.ts";
import type { LintProject } from "../lint-project.ts";
import type { LintService } from "../lint-service.ts";
import { keyPosition, positionAt } from "../places.ts";
import { at, type Rule, servicesNamed, sharing } from "../rule.ts";

/** Drivers of volumes, networks and logs that are not part of Docker, or that need another machine. */
export const drivers: Rule = {
  codes: ["volume-driver", "volume-elsewhere", "network-driver", "log-driver"],
  check: (project) => [
    ...Object.entries(project.model.volumes ?? {}).flatMap(([name, volume]) =>
      volumes(project, name, volume ?? {}),
    ),
    ...Object.entries(project.model.networks ?? {}).flatMap(([name, network]) =>
      networks(project, name, (network ?? {}) as { driver?: string; external?: boolean }),
    ),
    ...logs(project),
  ],
};

function volumes(project: LintProject, name: string, volume: ComposeVolume): Finding[] {
  if (volume.external) return [];
  const driver = volume.driver ?? "local";
  if (driver !== "local") {
    return [
      {
        code: "volume-driver",
        severity: "warning",
        message: `The volume '${name}' needs the volume driver '${driver}', which is a plugin.`,
        remedy:
          "Use the driver 'local', or install the plugin on the server by other means: a bundle does not carry it.",
        ...at(positionAt(project.graph, "volumes", name, "driver")),
      },
    ];
  }
  const { type = "", device } = volume.driver_opts ?? {};
  if (/^(?:nfs4?|cifs|smb3?|sshfs|glusterfs|ceph)$/i.test(type)) {
    return [
      {
        code: "volume-elsewhere",
        severity: "warning",
        message: `The volume '${name}' lies on another machine (${type}).`,
        remedy: "See that the server reaches that machine, or use a volume of its own.",
        ...at(positionAt(project.graph, "volumes", name, "driver_opts", "type")),
      },
    ];
  }
  if (!device?.startsWith("/") || (isInside(project.root, device) && type !== "tmpfs")) return [];
  return [
    {
      code: "volume-elsewhere",
      severity: "warning",
      message: `The volume '${name}' is ${device} of the server, which must be there before.`,
      remedy: "Create it on the server, or use a plain named volume.",
      ...at(positionAt(project.graph, "volumes", name, "driver_opts", "device")),
    },
  ];
}

const BUILT_IN_NETWORKS = new Set(["", "default", "bridge", "host", "none", "null"]);

function networks(
  project: LintProject,
  name: string,
  { driver = "", external }: { driver?: string; external?: boolean },
): Finding[] {
  if (external || BUILT_IN_NETWORKS.has(driver)) return [];
  const isLocal = /^(?:macvlan|ipvlan)$/.test(driver);
  return [
    {
      code: "network-driver",
      severity: isLocal ? "info" : "warning",
      message: `The network '${name}' uses the driver '${driver}', which ${
        isLocal
          ? "binds it to a network card of the server"
          : driver === "overlay"
            ? "needs Swarm"
            : "is a plugin"
      }.`,
      remedy: isLocal
        ? "See that the server has the network card that is named, with that network behind it."
        : "Use the driver 'bridge'.",
      ...at(
        positionAt(project.graph, "networks", name, "driver") ?? keyPosition(project.graph, "networks", name),
      ),
    },
  ];
}

const LOCAL_LOGS = new Set(["json-file", "local", "journald", "none", "etwlogs"]);
const BUILT_IN_LOGS = new Set(["syslog", "gelf", "fluentd", "awslogs", "splunk", "gcplogs", "logentries"]);

function logs(project: LintProject): Finding[] {
  const used = project.services.flatMap(([name, service]) => {
    const driver = service.logging?.driver ?? "";
    if (driver === "" || LOCAL_LOGS.has(driver) || isLocalSyslog(service)) return [];
    return [{ name, driver, position: positionAt(project.graph, "services", name, "logging", "driver") }];
  });
  return sharing(used, ({ driver }) => driver).map(({ driver, names, position }) => ({
    code: "log-driver",
    severity: "warning",
    message: BUILT_IN_LOGS.has(driver)
      ? `The log driver '${driver}' of ${servicesNamed(names)} sends logs to another machine; a container may not start without it.`
      : `The log driver '${driver}' of ${servicesNamed(names)} is a plugin.`,
    remedy: "Use 'local' or 'json-file', unless the site has what this one needs.",
    ...at(position),
  }));
}

/** Without an address, or with one of this machine, syslog stays here. */
function isLocalSyslog({ logging }: LintService): boolean {
  const address = logging?.options?.["syslog-address"] ?? "";
  return logging?.driver === "syslog" && (address === "" || /^unix|localhost|\/\/127\./.test(address));
}
