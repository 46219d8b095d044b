import type { Finding } from "@drybag/errors";
import type { LintProject } from "../lint-project.ts";
import { entryPosition, keyPosition, positionAt } from "../places.ts";
import { at, quoted, type Rule } from "../rule.ts";

/** What the project uses without making it: on site it must be there before. */
export const externalObjects: Rule = {
  codes: ["external-network", "external-volume", "external-secret", "external-container"],
  check: (project) => [...networksAndVolumes(project), ...secrets(project), ...containers(project)],
};

function networksAndVolumes(project: LintProject): Finding[] {
  return [
    ...externalOf(project, "networks").map(
      ({ key, name, position }): Finding => ({
        code: "external-network",
        severity: "warning",
        message: `The network '${name}' is made by somebody else: without it, Compose will not start anything.`,
        remedy: `Let this project make it (take 'external' out of '${key}'), or see that it is on the server first.`,
        ...at(position),
      }),
    ),
    ...externalOf(project, "volumes").map(
      ({ key, name, position }): Finding => ({
        code: "external-volume",
        severity: "warning",
        message: `The volume '${name}' is made by somebody else: without it, Compose will not start anything.`,
        remedy: `Let this project make it (take 'external' out of '${key}'), or create it on the server first.`,
        ...at(position),
      }),
    ),
  ];
}

function externalOf(project: LintProject, kind: "networks" | "volumes") {
  return Object.entries(project.model[kind] ?? {}).flatMap(([key, object]) => {
    if (!object?.external) return [];
    const position =
      positionAt(project.graph, kind, key, "external") ?? keyPosition(project.graph, kind, key);
    // A name that only the site knows is not one that we could show.
    const name = project.unknownVariables.length > 0 ? key : (object.name ?? key);
    return [{ key, name, position }];
  });
}

/** Secrets and configs from outside are for Swarm: Compose ends with "unsupported external secret". */
function secrets(project: LintProject): Finding[] {
  return (["secrets", "configs"] as const).flatMap((kind) =>
    Object.entries(project.model[kind] ?? {}).flatMap(([key, object]): Finding[] => {
      const users = project.services
        .filter(([, service]) => service[kind]?.some(({ source }) => source === key))
        .map(([name]) => name);
      if (!object?.external || users.length === 0) return [];
      return [
        {
          code: "external-secret",
          severity: "error",
          message: `The ${kind.slice(0, -1)} '${key}' of ${quoted(users)} is external, which only Swarm knows: Compose will not start it.`,
          remedy: "Make it of a file or of a variable ('file:', 'environment:').",
          ...at(positionAt(project.graph, kind, key, "external") ?? keyPosition(project.graph, kind, key)),
        },
      ];
    }),
  );
}

/** Containers that are not of this project. */
function containers(project: LintProject): Finding[] {
  return project.services.flatMap(([name, service]) => {
    const foreign: { container: string; key: string }[] = [];
    const shared = /^container:(.+)$/.exec(service.network_mode ?? "")?.[1];
    if (shared) foreign.push({ container: shared, key: "network_mode" });
    for (const link of service.external_links ?? []) {
      foreign.push({ container: link.split(":")[0] ?? link, key: "external_links" });
    }
    for (const from of service.volumes_from ?? []) {
      const container = /^container:([^:]+)/.exec(from)?.[1];
      if (container) foreign.push({ container, key: "volumes_from" });
    }
    const own = new Set(project.services.map(([, each]) => each.container_name));
    return foreign
      .filter(({ container }) => !own.has(container))
      .map(
        ({ container, key }): Finding => ({
          code: "external-container",
          severity: "warning",
          message: `'${name}' needs the container '${container}', which is not of this project (${key}).`,
          remedy: "Make it a service of this project, or see that it runs on the server first.",
          ...at(
            entryPosition(
              project.graph,
              ["services", name, key],
              ({ text }) => text?.includes(container) === true,
            ),
          ),
        }),
      );
  });
}
