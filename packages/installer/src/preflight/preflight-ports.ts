import { createSocket } from "node:dgram";
import { createServer } from "node:net";
import type { ComposeModel, ContainerFacts } from "@drybag/docker";
import type { Finding } from "@drybag/errors";

/** A port of the host that the stack wants. */
export interface WantedPort {
  service: string;
  /** Empty for all addresses. */
  hostIp: string;
  port: number;
  protocol: string;
}

/** From the project as Compose understands it. Ports that the engine chooses are none. */
export function wantedPorts(model: ComposeModel): WantedPort[] {
  return Object.entries(model.services ?? {}).flatMap(([service, { ports = [] }]) =>
    ports.flatMap(({ published, host_ip: hostIp = "", protocol = "tcp" }) =>
      portsOf(published).map((port) => ({ service, hostIp, port, protocol })),
    ),
  );
}

/** `8080`, or `8080-8090` where the engine takes the first one that is free: one finding for all would be wrong, so none. */
function portsOf(published: string | undefined): number[] {
  return published !== undefined && /^\d+$/.test(published) && Number(published) > 0
    ? [Number(published)]
    : [];
}

/**
 * Which wanted ports are taken. A port that this stack's own containers hold is not. Containers are asked before the host, because
 * an engine without a userland proxy holds ports that a program could still bind.
 */
export async function checkPorts(
  wanted: readonly WantedPort[],
  containers: readonly ContainerFacts[],
  projectName: string,
  engineIsLocal: boolean,
  canBind: (port: WantedPort) => Promise<boolean> = tryToBind,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const port of wanted) {
    const holder = containers.find(({ ports }) => ports.some((held) => clashes(port, held)));
    if (holder?.project === projectName) continue;
    if (holder) findings.push(portTaken(port, `the container ${holder.name}`));
    else if (engineIsLocal && !(await canBind(port))) findings.push(portTaken(port, "another program"));
  }
  return findings;
}

function clashes(wanted: WantedPort, held: { hostIp: string; hostPort: number; protocol: string }): boolean {
  const anywhere = (ip: string) => ip === "" || ip === "0.0.0.0" || ip === "::";
  return (
    held.hostPort === wanted.port &&
    held.protocol === wanted.protocol &&
    (anywhere(wanted.hostIp) || anywhere(held.hostIp) || wanted.hostIp === held.hostIp)
  );
}

function portTaken({ service, port, protocol }: WantedPort, holder: string): Finding {
  return {
    code: "port-in-use",
    severity: "error",
    message: `Port ${port}/${protocol}, which ${service} publishes, is taken by ${holder}.`,
    remedy:
      holder === "another program"
        ? `See which one with 'ss -lnp sport = :${port}' and stop it, or choose another port with --set.`
        : `Stop it, or choose another port with --set.`,
  };
}

async function tryToBind({ hostIp, port, protocol }: WantedPort): Promise<boolean> {
  if (protocol === "udp") return bindUdp(hostIp, port);
  if (protocol !== "tcp") return true;
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code !== "EADDRINUSE"));
    server.listen({ port, host: hostIp || "0.0.0.0", exclusive: true }, () =>
      server.close(() => resolve(true)),
    );
  });
}

/** Only a port in use counts: that this user may not bind it (EACCES) says nothing about the engine. */
async function bindUdp(hostIp: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket(hostIp.includes(":") ? "udp6" : "udp4");
    socket.once("error", (error: NodeJS.ErrnoException) => {
      socket.close();
      resolve(error.code !== "EADDRINUSE");
    });
    socket.bind({ port, address: hostIp || "0.0.0.0", exclusive: true }, () =>
      socket.close(() => resolve(true)),
    );
  });
}
