import { once } from "node:events";
import { createConnection } from "node:net";
import type { Duplex } from "node:stream";
import { type ContainerFacts, connectInContainer, type DockerContext, NO_RELAY } from "@drybag/docker";

/** A way to a port of a container. */
export interface Connect {
  /** For messages: `127.0.0.1:8080`. */
  name: string;
  /** Throws the system's error, with its code. */
  open(): Promise<Duplex>;
  close(): void;
}

/** How long one way may take to lead somewhere, in milliseconds. */
const CONNECT_TIMEOUT_MS = 3000;

/**
 * The ways to a port: the one that the stack publishes; the container's own address, which a Linux host reaches; and a program in the
 * container, for engines elsewhere and for containers without an address.
 */
export function openConnections(
  container: ContainerFacts,
  port: number,
  around: { docker: DockerContext; engineIsLocal: boolean; signal: AbortSignal },
): Connect[] {
  const published = container.ports
    .filter(({ containerPort, protocol }) => containerPort === port && protocol === "tcp")
    .map(({ hostIp, hostPort }) => ({ host: localAddress(hostIp), port: hostPort }));
  const own = container.addresses.map((host) => ({ host, port }));
  const direct = around.engineIsLocal ? [...published, ...own] : [];
  return [
    ...direct.map((address) => overSocket(address, around.signal)),
    overExec(container, port, around.docker, around.signal),
  ];
}

function localAddress(hostIp: string): string {
  if (hostIp === "::") return "::1";
  return hostIp === "" || hostIp === "0.0.0.0" ? "127.0.0.1" : hostIp;
}

function overSocket({ host, port }: { host: string; port: number }, signal: AbortSignal): Connect {
  const socket = { close: () => {} };
  return {
    name: host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`,
    async open() {
      const connection = createConnection({ host, port });
      socket.close = () => connection.destroy();
      connection.on("error", () => undefined);
      const timer = setTimeout(() => {
        connection.destroy(Object.assign(new Error("no answer"), { code: "ETIMEDOUT" }));
      }, CONNECT_TIMEOUT_MS);
      try {
        await once(connection, "connect", { signal });
        return connection;
      } finally {
        clearTimeout(timer);
      }
    },
    close: () => socket.close(),
  };
}

function overExec(
  container: ContainerFacts,
  port: number,
  docker: DockerContext,
  signal: AbortSignal,
): Connect {
  const stop = new AbortController();
  return {
    name: `port ${port} in ${container.name}`,
    async open() {
      const { connection, done } = connectInContainer(docker, container.id, port, {
        signal: AbortSignal.any([signal, stop.signal]),
      });
      // A relay that finds nobody ends; one that stands waits for what we say.
      const early = done.then(
        ({ exitCode, stderr }) => {
          const why =
            exitCode === NO_RELAY
              ? "the image has none of python3, node, bash, nc and socat to ask with"
              : stderr.trim().split("\n").at(-1) || "refused";
          const code = exitCode === NO_RELAY ? "ENOENT" : "ECONNREFUSED";
          connection.destroy(Object.assign(new Error(why), { code }));
        },
        () => connection.destroy(),
      );
      void early;
      await settled(connection);
      return connection;
    },
    close: () => stop.abort(),
  };
}

/** Gives a relay a moment to fail: nothing tells when its connection stands. */
async function settled(connection: Duplex): Promise<void> {
  const timer = AbortSignal.timeout(500);
  try {
    await once(connection, "readable", { signal: timer });
  } catch (error) {
    if (!timer.aborted) throw error;
  }
}
