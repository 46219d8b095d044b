import type { LintProject } from "../lint-project.ts";
import { positionAt } from "../places.ts";
import { at, type Rule, servicesNamed, sharing } from "../rule.ts";

/** Services that would ask a registry each time. On site they do not: `compose.offline.yaml` sees to it. */
export const pullPolicies: Rule = {
  codes: ["pull-policy"],
  check: (project) =>
    sharing(uses(project), ({ policy }) => policy).map(({ policy, names, position }) => ({
      code: "pull-policy",
      severity: "info",
      message: `'pull_policy: ${policy}' of ${servicesNamed(names)} would pull over the network.`,
      remedy: "Drybag turns it off on site; nothing need be done.",
      ...at(position),
    })),
};

function uses(project: LintProject) {
  return project.services.flatMap(([name, { pull_policy: policy }]) =>
    policy && /^(?:always|daily|weekly|every_)/.test(policy)
      ? [{ name, policy, position: positionAt(project.graph, "services", name, "pull_policy") }]
      : [],
  );
}
