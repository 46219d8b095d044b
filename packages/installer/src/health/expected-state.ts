import type { ComposeModel, ComposeService } from "@drybag/docker";
import type { BundledService } from "@drybag/format";

export interface ExpectedService {
  name: string;
  /**
   * `up`: runs, and is healthy where its container has a healthcheck. `done`: a one-shot, ends with exit code 0. That it is one
   * must be written somewhere: a service that only happened to end is not taken for one.
   */
  state: "up" | "done";
  /** Containers that it should have. */
  replicas: number;
}

/**
 * What each service of a project should come to. The model has active services only; the bundle may declare one-shots that nothing
 * in the Compose files tells of.
 */
export function expectedServices(
  model: ComposeModel,
  declared: readonly BundledService[],
): ExpectedService[] {
  const services = model.services ?? {};
  const awaited = servicesAwaited(Object.values(services));
  const oneShots = new Set(declared.filter(({ oneShot }) => oneShot).map(({ name }) => name));
  return Object.entries(services)
    .filter(([, service]) => service.provider === undefined)
    .map(([name, service]): ExpectedService => {
      const isOneShot = oneShots.has(name) || awaited.has(name) || neverRestarts(service);
      return { name, state: isOneShot ? "done" : "up", replicas: replicasOf(service) };
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Services that another one wants to see completed. */
function servicesAwaited(services: readonly ComposeService[]): Set<string> {
  const names = services.flatMap(({ depends_on }) =>
    Object.entries(depends_on ?? {})
      .filter(([, { condition }]) => condition === "service_completed_successfully")
      .map(([name]) => name),
  );
  return new Set(names);
}

/** Written out: Compose shows `restart` and `restart_policy` only where the project has them. */
function neverRestarts({ restart, deploy }: ComposeService): boolean {
  return restart === "no" || deploy?.restart_policy?.condition === "none";
}

function replicasOf({ scale, deploy }: ComposeService): number {
  return deploy?.replicas ?? scale ?? 1;
}
