export * from "./archive-streams.ts";
export * from "./build-log.ts";
export * from "./buildx.ts";
export * from "./compose.ts";
export * from "./compose-logs.ts";
export * from "./container-log.ts";
export * from "./containers.ts";
export * from "./empty-volume.ts";
export * from "./engine-facts.ts";
export * from "./exec.ts";
export * from "./finish-recreations.ts";
export * from "./image-files.ts";
export * from "./images.ts";
export * from "./registry-credentials.ts";
export * from "./registry-facts.ts";
export * from "./relay.ts";
export {
  type DockerContext,
  type DockerOutput,
  lastLines,
  type RunOptions,
  runDocker,
} from "./run-docker.ts";
export * from "./run-service.ts";
export * from "./take-down.ts";
export * from "./unnamed-volumes.ts";
export * from "./versions.ts";
export * from "./volume-users.ts";
export * from "./volumes.ts";
