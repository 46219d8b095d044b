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
  /** Of a range, from which the engine takes the first one that is free. */
  lastPort?: number;
  protocol: string;
}

/** From the project as Compose understands it. Ports that the engine chooses are none. */
export function wantedPorts(model: ComposeModel): WantedPort[] {
  return Object.entries(model.services ?? {}).flatMap(([service, { ports = [] }]) =>
    ports.flatMap(({ published, host_ip: hostIp = "", protocol = "tcp" }) =>
      rangesOf(published).map((range) => ({ service, hostIp, ...range, protocol })),
    ),
  );
}

/** `8080`, or `8080-8090`. Compose shows a range only where it is for one port of the container; others it has taken apart. */
function rangesOf(published = ""): { port: number; lastPort?: number }[] {
  const [, first, last] = /^(\d+)(?:-(\d+))?$/.exec(published) ?? [];
  if (first === undefined || Number(first) === 0) return [];
  const isRange = last !== undefined && Number(last) > Number(first);
  return [{ port: Number(first), ...(isRange && { lastPort: Number(last) }) }];
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
  for (const range of wanted) {
    const taken = await holderOf(range, async (port) => {
      const holder = containers.find(({ ports }) => ports.some((held) => clashes(port, held)));
      if (holder) return holder.project === projectName ? undefined : `the container ${holder.name}`;
      return engineIsLocal && !(await canBind(port)) ? "another program" : undefined;
    });
    if (taken !== undefined) findings.push(portTaken(range, taken));
  }
  return findings;
}

/** Who holds a port, of a range the first one, where all are held; undefined where one can be had. */
async function holderOf(
  range: WantedPort,
  holder: (port: WantedPort) => Promise<string | undefined>,
): Promise<string | undefined> {
  const first = await holder(range);
  for (let port = range.port + 1; first !== undefined && port <= (range.lastPort ?? range.port); port += 1) {
    if ((await holder({ ...range, port })) === undefined) return undefined;
  }
  return first;
}

function clashes(wanted: WantedPort, held: { hostIp: string; hostPort: number; protocol: string }): boolean {
  const anywhere = (ip: string) => ip === "" || ip === "0.0.0.0" || ip === "::";
  return (
    held.hostPort === wanted.port &&
    held.protocol === wanted.protocol &&
    (anywhere(wanted.hostIp) || anywhere(held.hostIp) || wanted.hostIp === held.hostIp)
  );
}

function portTaken({ service, port, lastPort, protocol }: WantedPort, holder: string): Finding {
  if (lastPort !== undefined) {
    return {
      code: "port-in-use",
      severity: "error",
      message: `Of the ports ${port}-${lastPort}/${protocol}, one of which ${service} publishes, all are taken; the first by ${holder}.`,
      remedy: "See by which programs with 'ss -lnp', and stop one, or choose another range with --set.",
    };
  }
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
