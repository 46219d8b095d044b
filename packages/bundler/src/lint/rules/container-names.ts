import type { Finding } from "@drybag/errors";
import { isMap } from "yaml";
import { keysOf, positionOf } from "../../compose/look-up.ts";
import { placesOf } from "../../compose/places.ts";
import type { LintProject } from "../lint-project.ts";
import { type Entry, entriesOf } from "../places.ts";
import { at, type Rule } from "../rule.ts";

/** Container names that two services want. Compose refuses such a project, so this reads the files only. */
export const containerNames: Rule = {
  codes: ["container-name-clash"],
  readsFilesOnly: true,
  check(project) {
    // Where Compose refuses the project, the values of its variables may not be known.
    const isKnown = project.services.length > 0;
    const named = serviceNames(project).flatMap((service) => {
      const [entry] = entriesOf(project.graph, "services", service, "container_name");
      return entry?.text && (isKnown || !entry.written?.includes("$"))
        ? [{ service, entry, text: entry.text }]
        : [];
    });
    return [
      ...[...Map.groupBy(named, ({ text }) => text).values()].flatMap((group) =>
        group.slice(1).map((later) => clash(group[0] as Named, later)),
      ),
      ...named.flatMap((each) => scaled(project, each)),
    ];
  },
};

interface Named {
  service: string;
  entry: Entry;
  text: string;
}

/** Those of the model, or, where Compose gives none, all that are written. */
function serviceNames(project: LintProject): string[] {
  if (project.services.length > 0) return project.services.map(([name]) => name);
  const written = project.graph.units.flatMap((unit) => unit.documents);
  const found = placesOf(project.graph, ["services"]).filter(({ document }) => written.includes(document));
  return [...new Set(found.flatMap(({ document, node }) => (isMap(node) ? keysOf(document, node) : [])))];
}

function clash(earlier: Named, later: Named): Finding {
  return {
    code: "container-name-clash",
    severity: "error",
    message: `'${earlier.service}' and '${later.service}' both want the container name '${later.text}'.`,
    remedy: "Take 'container_name' out of one of them, or better of both.",
    position: positionOf(later.entry.place),
  };
}

function scaled(project: LintProject, { service, entry, text }: Named): Finding[] {
  const counts = [["scale"], ["deploy", "replicas"]].flatMap((keys) =>
    entriesOf(project.graph, "services", service, ...keys).slice(0, 1),
  );
  const count = counts.find((each) => Number(each.text) > 1)?.text;
  if (count === undefined) return [];
  return [
    {
      code: "container-name-clash",
      severity: "error",
      message: `'${service}' runs ${count} times, but only one container can have the name '${text}'.`,
      remedy: "Take 'container_name' out of it.",
      ...at(positionOf(entry.place)),
    },
  ];
}
