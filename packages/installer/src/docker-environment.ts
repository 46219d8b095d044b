import { existsSync } from "node:fs";
import { join } from "node:path";
import type { DockerContext } from "@drybag/docker";

/**
 * What of our environment a Docker client may see. Not all of it: Compose would let any variable of the technician's shell win
 * over the answers that were given, and take COMPOSE_FILE and DOCKER_DEFAULT_PLATFORM from there.
 */
const PASSED_ON: ReadonlySet<string> = new Set([
  "PATH",
  "HOME",
  "USER",
  "LOGNAME",
  "LANG",
  "LC_ALL",
  "TMPDIR",
  "XDG_RUNTIME_DIR",
  "XDG_CONFIG_HOME",
  "SSH_AUTH_SOCK",
  "DOCKER_HOST",
  "DOCKER_CONTEXT",
  "DOCKER_CONFIG",
  "DOCKER_CERT_PATH",
  "DOCKER_TLS",
  "DOCKER_TLS_VERIFY",
  "DOCKER_API_VERSION",
]);

function dockerEnvironment(env: NodeJS.ProcessEnv): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => PASSED_ON.has(name)));
}

/** How Docker is reached for the stacks in a folder: with the Compose that a bundle brought there, if one did. */
export function siteDocker(env: NodeJS.ProcessEnv, dir: string): DockerContext {
  const compose = carriedComposePath(dir);
  return { env: dockerEnvironment(env), ...(existsSync(compose) && { compose }) };
}

/** Where the Compose of a bundle lies, where the server's own will not do. */
export function carriedComposePath(dir: string): string {
  return join(dir, "bin", "docker-compose");
}

/** Whether the engine's folders are this machine's, as far as the environment tells. */
export function isLocalEngine({ DOCKER_HOST, DOCKER_CONTEXT }: NodeJS.ProcessEnv): boolean {
  if (DOCKER_HOST) return DOCKER_HOST.startsWith("unix://");
  return !DOCKER_CONTEXT || DOCKER_CONTEXT === "default";
}
