import type { Finding } from "@drybag/errors";
import { isInside } from "../../project/project-files.ts";
import type { LintProject } from "../lint-project.ts";
import type { LintService } from "../lint-service.ts";
import { isBelow, mountPosition } from "../mounts.ts";
import { entryPosition, positionAt } from "../places.ts";
import { at, type Rule } from "../rule.ts";

/** What gives a container power over the server, or needs hardware of it. */
export const hostAccess: Rule = {
  codes: ["docker-socket", "host-path", "privileged", "host-namespace", "host-device"],
  check: (project) =>
    project.services.flatMap(([name, service]) => [
      ...mounts(project, name, service),
      ...privileges(project, name, service),
      ...namespaces(project, name, service),
      ...devices(project, name, service),
    ]),
};

const SOCKET = /\/(?:docker|podman|containerd)\.sock$/;

/** Folders of the system itself. Those below /var, /opt, /srv, /mnt and /home hold data, which is another matter. */
const SYSTEM = [
  "/etc",
  "/proc",
  "/sys",
  "/dev",
  "/boot",
  "/usr",
  "/var/run",
  "/run",
  "/var/lib/docker",
  "/lib/modules",
];

/** Files that tell only what the time is. */
const CLOCK = /^\/etc\/(?:localtime|timezone)$|^\/usr\/share\/zoneinfo(?:\/|$)/;

/** Whether a path is part of the server's system, so that it is no file that somebody forgot to carry. */
export function isOfSystem(source: string): boolean {
  return SOCKET.test(source) || source === "/" || SYSTEM.some((folder) => isBelow(source, folder));
}

function mounts(project: LintProject, name: string, service: LintService): Finding[] {
  return (service.volumes ?? []).flatMap((mount): Finding[] => {
    const { source } = mount;
    if (mount.type !== "bind" || !source || !isOfSystem(source) || isInside(project.root, source)) return [];
    const position = mountPosition(project, name, mount);
    if (SOCKET.test(source)) {
      return [
        {
          code: "docker-socket",
          severity: "warning",
          message: `'${name}' mounts ${source}: whoever gets into it has the whole server.`,
          remedy: "Leave it out if the service can do without; read-only does not help.",
          ...at(position),
        },
      ];
    }
    return [
      {
        code: "host-path",
        severity: CLOCK.test(source) || mount.read_only ? "info" : "warning",
        message: `'${name}' mounts ${source} of the server.`,
        remedy:
          source === "/etc/timezone"
            ? "Servers of the Red Hat family have no such file, and Docker would put a folder there; set TZ instead."
            : "It comes from the server and is not carried: see that it is there, and that the service may do this.",
        ...at(position),
      },
    ];
  });
}

function privileges(project: LintProject, name: string, service: LintService): Finding[] {
  const capability = service.cap_add?.find((each) =>
    /^(?:CAP_)?(?:ALL|SYS_ADMIN|SYS_MODULE|SYS_RAWIO)$/i.test(each),
  );
  if (!service.privileged && capability === undefined) return [];
  const position = service.privileged
    ? positionAt(project.graph, "services", name, "privileged")
    : entryPosition(project.graph, ["services", name, "cap_add"], ({ text }) => text === capability);
  return [
    {
      code: "privileged",
      severity: "warning",
      message: service.privileged
        ? `'${name}' is privileged: whoever gets into it has the whole server.`
        : `'${name}' has the capability ${capability}, which is nearly the whole server.`,
      remedy: "Give it only the capabilities and devices that it needs (cap_add, devices).",
      ...at(position),
    },
  ];
}

function namespaces(project: LintProject, name: string, service: LintService): Finding[] {
  const shared = ["network_mode", "pid", "ipc"] as const;
  return shared.flatMap((key): Finding[] => {
    if (service[key] !== "host") return [];
    return [
      {
        code: "host-namespace",
        severity: key === "network_mode" ? "info" : "warning",
        message:
          key === "network_mode"
            ? `'${name}' uses the network of the server: its ports are the server's, and nothing checks that they are free.`
            : `'${name}' shares '${key}' with the server.`,
        remedy: `Leave '${key}: host' out if the service can do without.`,
        ...at(positionAt(project.graph, "services", name, key)),
      },
    ];
  });
}

function devices(project: LintProject, name: string, service: LintService): Finding[] {
  const listed = (service.devices ?? []).flatMap((device) =>
    typeof device === "string" ? (device.split(":")[0] ?? []) : (device.source ?? []),
  );
  const found = listed.map((device) => ({
    what: device,
    position: entryPosition(project.graph, ["services", name, "devices"], (entry) =>
      entry.text === undefined ? true : entry.text.startsWith(device),
    ),
  }));
  if (service.gpus !== undefined && service.gpus !== null) {
    found.push({ what: "a GPU", position: positionAt(project.graph, "services", name, "gpus") });
  }
  if (service.runtime !== undefined && !/^(?:runc|io\.containerd\.runc\.v2)$/.test(service.runtime)) {
    const position = positionAt(project.graph, "services", name, "runtime");
    found.push({ what: `the container runtime '${service.runtime}'`, position });
  }
  return found.map(({ what, position }) => ({
    code: "host-device",
    severity: "info",
    message: `'${name}' needs ${what} on the server.`,
    remedy: "See that the server has it, with its driver: a bundle cannot bring it.",
    ...at(position),
  }));
}
