import { type Engine, makeEngine } from "./engine/engine.ts";
import { readEngineFacts } from "./engine/engine-facts.ts";
import { LabError } from "./lab-error.ts";

export const hostSocket = "/var/run/docker.sock";

/** The machine's own Docker Engine as the connected side: looked at, never configured, started or stopped. */
export async function findHostEngine(path: string): Promise<Engine> {
  const facts = await readEngineFacts(hostSocket);
  if (facts === undefined) {
    throw new LabError("lab-requirement", `no Docker Engine answers at ${hostSocket}`, {
      hint: "start Docker, or leave --connected-host out: the lab then starts an engine of its own",
    });
  }
  const env = { DOCKER_HOST: `unix://${hostSocket}`, PATH: path };
  return makeEngine({ name: "connected", role: "connected", ...facts, socket: hostSocket, env }, "nsenter");
}
