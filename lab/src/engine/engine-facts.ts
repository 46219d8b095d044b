import { request } from "node:http";

export interface EngineFacts {
  version: string;
  imageStore: "classic" | "containerd";
  dataRoot: string;
}

const timeoutMs = 5_000;

/** What an engine says of itself; undefined while nobody answers at the socket. */
export async function readEngineFacts(socket: string): Promise<EngineFacts | undefined> {
  const info = await getJson<{ ServerVersion: string; DriverStatus?: string[][]; DockerRootDir: string }>(
    socket,
    "/info",
  );
  if (info === undefined) return undefined;
  const snapshotter = (info.DriverStatus ?? []).some(
    ([key, value]) => key === "driver-type" && value === "io.containerd.snapshotter.v1",
  );
  return {
    version: info.ServerVersion,
    imageStore: snapshotter ? "containerd" : "classic",
    dataRoot: info.DockerRootDir,
  };
}

function getJson<T>(socketPath: string, path: string): Promise<T | undefined> {
  return new Promise((resolve) => {
    const asked = request({ socketPath, path, timeout: timeoutMs }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.once("error", () => resolve(undefined));
      response.once("end", () => {
        if (response.statusCode !== 200) return resolve(undefined);
        try {
          resolve(JSON.parse(Buffer.concat(chunks).toString("utf8")) as T);
        } catch {
          resolve(undefined);
        }
      });
    });
    asked.once("timeout", () => asked.destroy());
    asked.once("error", () => resolve(undefined));
    asked.end();
  });
}
