import type { Finding } from "@drybag/errors";
import { normalizeReference } from "@drybag/format";
import { dockerfileOf, type LintProject } from "../lint-project.ts";
import { hasHealthcheck, isDisabled, type LintService, restarts } from "../lint-service.ts";
import { entryPosition, keyPosition } from "../places.ts";
import { at, quoted, type Rule } from "../rule.ts";

/** Services that others wait for, but which nobody can tell to be ready. */
export const healthchecks: Rule = {
  codes: ["healthcheck-missing", "no-healthcheck", "one-shot-restarts"],
  check: (project) => [...awaited(project), ...unchecked(project), ...restartingOneShots(project)],
};

/** Docker's own images, which have no healthcheck of their own by policy (docker-library, FAQ). */
const WITHOUT_HEALTHCHECK = new Set(
  "alpine busybox caddy debian elasticsearch golang haproxy httpd influxdb mariadb memcached mongo mysql nats neo4j nginx node php postgres python rabbitmq redis ruby tomcat traefik ubuntu valkey zookeeper".split(
    " ",
  ),
);

type Verdict = "has" | "none" | "unknown";

/** `depends_on: {condition: service_healthy}` on a service that can never be healthy: `up` fails. */
function awaited(project: LintProject): Finding[] {
  const services = new Map(project.services);
  return project.services.flatMap(([name, service]) =>
    Object.entries(service.depends_on ?? {}).flatMap(([other, dependency]): Finding[] => {
      const target = services.get(other);
      if (dependency.condition !== "service_healthy" || target === undefined) return [];
      const verdict = healthcheckOf(project, target);
      if (verdict === "has") return [];
      const isCertain = verdict === "none" && dependency.required !== false;
      return [
        {
          code: "healthcheck-missing",
          severity: isCertain ? "error" : "warning",
          message: isCertain
            ? `'${name}' waits until '${other}' is healthy, but '${other}' has no healthcheck: Compose will not start it.`
            : `'${name}' waits until '${other}' is healthy, but the Compose file has no healthcheck for '${other}'.`,
          remedy: isCertain
            ? `Give '${other}' a healthcheck.`
            : `Give '${other}' a healthcheck, unless its image has one: without either, Compose will not start '${name}'.`,
          ...at(
            entryPosition(project.graph, ["services", name, "depends_on"], (entry) => entry.name === other),
          ),
        },
      ];
    }),
  );
}

function healthcheckOf(project: LintProject, service: LintService): Verdict {
  if (isDisabled(service.healthcheck)) return "none";
  if (hasHealthcheck(service)) return "has";
  const dockerfile = dockerfileOf(service.build);
  const text = service.build?.dockerfile_inline ?? (dockerfile && project.texts.get(dockerfile));
  if (text && /^\s*HEALTHCHECK\s/im.test(text)) return "has";
  return !service.build && isOfDocker(service.image) ? "none" : "unknown";
}

function isOfDocker(image: string | undefined): boolean {
  try {
    const { domain, path } = normalizeReference(image ?? "");
    return domain === "docker.io" && WITHOUT_HEALTHCHECK.has(path.replace(/^library\//, ""));
  } catch {
    return false;
  }
}

/** Others depend on it, but only on its having been started. Those that at least start again share one finding. */
function unchecked(project: LintProject): Finding[] {
  const names = project.services.flatMap(([name, service]) => {
    const isNeeded = project.services.some(
      ([, other]) => other.depends_on?.[name]?.condition === "service_started",
    );
    const hasCheck = service.provider || healthcheckOf(project, service) === "has";
    return isNeeded && !hasCheck && !project.oneShots.has(name) ? [{ name, service }] : [];
  });
  const fragile = names.filter(({ service }) => !restarts(service));
  const sturdy = names.filter(({ service }) => restarts(service)).map(({ name }) => name);
  return [
    ...fragile.map(
      ({ name }): Finding => ({
        code: "no-healthcheck",
        severity: "warning",
        message: `Others depend on '${name}', which has neither a healthcheck nor a restart policy.`,
        remedy: `Give '${name}' both, so that others can wait for it and find it again.`,
        ...at(keyPosition(project.graph, "services", name)),
      }),
    ),
    ...(sturdy.length === 0 ? [] : [withoutCheck(project, sturdy)]),
  ];
}

function withoutCheck(project: LintProject, names: string[]): Finding {
  return {
    code: "no-healthcheck",
    severity: "info",
    message: `Others depend on ${quoted(names)}, without a healthcheck in the Compose file.`,
    remedy: "With one, Drybag can tell whether a service works; without, only that it runs.",
    ...at(keyPosition(project.graph, "services", names[0] ?? "")),
  };
}

/** Waited for until it has ended, but told to begin again whenever it ends. */
function restartingOneShots(project: LintProject): Finding[] {
  return project.services.flatMap(([name, service]): Finding[] => {
    const isAwaited = project.services.some(
      ([, other]) => other.depends_on?.[name]?.condition === "service_completed_successfully",
    );
    if (!isAwaited || !["always", "unless-stopped"].includes(service.restart ?? "")) return [];
    return [
      {
        code: "one-shot-restarts",
        severity: "warning",
        message: `Others wait until '${name}' has ended, but with 'restart: ${service.restart}' it begins again each time.`,
        remedy: `Write 'restart: on-failure' or 'restart: "no"' for '${name}'.`,
        ...at(
          entryPosition(project.graph, ["services", name, "restart"], () => true) ??
            keyPosition(project.graph, "services", name),
        ),
      },
    ];
  });
}
