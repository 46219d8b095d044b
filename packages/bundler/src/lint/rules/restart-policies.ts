import type { Finding } from "@drybag/errors";
import type { LintProject } from "../lint-project.ts";
import { type LintService, restarts } from "../lint-service.ts";
import { keyPosition } from "../places.ts";
import { at, quoted, type Rule } from "../rule.ts";

/** Services that stay away when the server has been restarted. */
export const restartPolicies: Rule = {
  codes: ["no-restart-policy"],
  check: (project) =>
    project.services.flatMap(([name, service]) =>
      needsPolicy(project, name, service) ? [finding(project, name)] : [],
    ),
};

function needsPolicy(project: LintProject, name: string, service: LintService): boolean {
  if (service.provider || restarts(service)) return false;
  return !project.oneShots.has(name);
}

function finding(project: LintProject, name: string): Finding {
  const dependants = project.services
    .filter(([, other]) => other.depends_on?.[name] !== undefined)
    .map(([other]) => other);
  const depend = dependants.length === 1 ? "depends" : "depend";
  return {
    code: "no-restart-policy",
    severity: dependants.length > 0 ? "warning" : "info",
    message:
      dependants.length > 0
        ? `'${name}', on which ${quoted(dependants)} ${depend}, stays away when it fails or the server starts again.`
        : `'${name}' stays away when it fails or the server starts again.`,
    remedy: "Write 'restart: unless-stopped', or 'restart: \"no\"' if it is meant to run once.",
    ...at(keyPosition(project.graph, "services", name)),
  };
}
