import { setTimeout as sleep } from "node:timers/promises";
import {
  type ComposeFlags,
  type ComposeModel,
  type ContainerFacts,
  type DockerContext,
  inspectContainers,
  listProjectContainers,
  runCompose,
  runDocker,
} from "@drybag/docker";
import { appendToJournal, readJournal, stoppedContainers } from "../site/journal.ts";

/** Waits for a dependency to get healthy no longer than this, in milliseconds; what depends on it is started then all the same. */
const DEPENDENCY_TIMEOUT_MS = 5 * 60_000;
const POLL_MS = 500;

/** Stops what runs of a stack, its dependents first; written down before, so that whatever cuts this off, it can be started again. */
export async function stopStack(
  docker: DockerContext,
  { flags, projectName, journal }: { flags: ComposeFlags; projectName: string; journal: string },
  signal: AbortSignal,
): Promise<void> {
  const containers = await listProjectContainers(docker, projectName, { signal });
  const running = containers.filter(({ state }) => state === "running" || state === "restarting");
  if (running.length === 0) return;
  await appendToJournal(journal, { step: "stack-stopped", containers: running.map(({ id }) => id) });
  await runCompose(docker, flags, ["stop"], { signal });
}

/**
 * Starts the containers again that were stopped last, in the order of their dependencies. Not through Compose, which would run finished
 * one-shots once more. Returns whether there were any.
 */
export async function startStopped(
  docker: DockerContext,
  { model, journal }: { model: ComposeModel | undefined; journal: string },
  signal: AbortSignal,
): Promise<boolean> {
  const ids = stoppedContainers(await readJournal(journal));
  if (ids.length === 0) return false;
  const waiting = await inspectContainers(docker, ids, { signal });
  for (const container of inDependencyOrder(waiting, model)) {
    await untilDependenciesHealthy(docker, container, waiting, model, signal);
    await runDocker(docker, ["start", container.id], { signal });
  }
  await appendToJournal(journal, { step: "stack-started" });
  return true;
}

/** Pure; exported for its test. */
export function inDependencyOrder<T extends Pick<ContainerFacts, "service">>(
  containers: readonly T[],
  model: ComposeModel | undefined,
): T[] {
  const ordered = new Set<T>();
  const visit = (service: string | undefined, trail: readonly string[]) => {
    if (service === undefined || trail.includes(service)) return;
    for (const name of Object.keys(model?.services?.[service]?.depends_on ?? {}))
      visit(name, [...trail, service]);
    for (const container of containers) if (container.service === service) ordered.add(container);
  };
  for (const { service } of containers) visit(service, []);
  for (const container of containers) ordered.add(container);
  return [...ordered];
}

async function untilDependenciesHealthy(
  docker: DockerContext,
  { service }: ContainerFacts,
  all: readonly ContainerFacts[],
  model: ComposeModel | undefined,
  signal: AbortSignal,
): Promise<void> {
  const wanted = Object.entries(model?.services?.[service ?? ""]?.depends_on ?? {})
    .filter(([, { condition }]) => condition === "service_healthy")
    .map(([name]) => name);
  const ids = all.filter((each) => wanted.includes(each.service ?? "")).map(({ id }) => id);
  const deadline = performance.now() + DEPENDENCY_TIMEOUT_MS;
  while (ids.length > 0 && performance.now() < deadline) {
    const containers = await inspectContainers(docker, ids, { signal });
    if (containers.every(({ health }) => health === "healthy" || health === "none")) return;
    await sleep(POLL_MS, undefined, { signal });
  }
}
