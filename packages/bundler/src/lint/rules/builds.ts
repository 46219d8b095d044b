import type { LintProject } from "../lint-project.ts";
import { keyPosition, positionAt } from "../places.ts";
import { at, type Rule, servicesNamed, sharing } from "../rule.ts";

/** Images that packing makes, and what only developers have. */
export const builds: Rule = {
  codes: ["built-when-packing", "develop-watch", "provider-service", "model-service"],
  check: (project) => [...built(project), ...watched(project), ...provided(project), ...models(project)],
};

function built(project: LintProject) {
  const uses = project.services.flatMap(([name, service]) =>
    service.build ? [{ name, position: keyPosition(project.graph, "services", name, "build") }] : [],
  );
  return sharing(uses, () => "").map(({ names, position }) => ({
    code: "built-when-packing",
    severity: "info" as const,
    message: `The image of ${servicesNamed(names)} is built when packing, and carried.`,
    remedy: "Nothing is built on site; see that it can be built here.",
    ...at(position),
  }));
}

function watched(project: LintProject) {
  const uses = project.services.flatMap(([name, service]) =>
    service.develop?.watch?.length
      ? [{ name, position: keyPosition(project.graph, "services", name, "develop") }]
      : [],
  );
  return sharing(uses, () => "").map(({ names, position }) => ({
    code: "develop-watch",
    severity: "info" as const,
    message: `'develop' of ${servicesNamed(names)} is for developers: what it watches is not carried.`,
    remedy: "Nothing need be done.",
    ...at(position),
  }));
}

function provided(project: LintProject) {
  return project.services.flatMap(([name, { provider }]) => {
    if (!provider) return [];
    const type = (provider as { type?: string }).type ?? "?";
    return [
      {
        code: "provider-service",
        severity: "warning" as const,
        message: `'${name}' is run by the provider '${type}', a program that the bundle does not carry.`,
        remedy: "Run it as a container, or see that the server has that program and what it needs.",
        ...at(
          positionAt(project.graph, "services", name, "provider", "type") ??
            keyPosition(project.graph, "services", name),
        ),
      },
    ];
  });
}

function models(project: LintProject) {
  const named = Object.keys((project.model as { models?: Record<string, unknown> }).models ?? {});
  return named.map((name) => ({
    code: "model-service",
    severity: "warning" as const,
    message: `The model '${name}' is pulled and run by Docker Model Runner; the bundle does not carry it.`,
    remedy: "Run it in a container whose image holds the model.",
    ...at(positionAt(project.graph, "models", name, "model") ?? keyPosition(project.graph, "models", name)),
  }));
}
