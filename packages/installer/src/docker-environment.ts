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

export function dockerEnvironment(env: NodeJS.ProcessEnv): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => PASSED_ON.has(name)));
}

/** Whether the engine's folders are this machine's, as far as the environment tells. */
export function isLocalEngine({ DOCKER_HOST, DOCKER_CONTEXT }: NodeJS.ProcessEnv): boolean {
  if (DOCKER_HOST) return DOCKER_HOST.startsWith("unix://");
  return !DOCKER_CONTEXT || DOCKER_CONTEXT === "default";
}
