import type { Finding } from "@drybag/errors";
import { isMap } from "yaml";
import { keysOf } from "../../compose/look-up.ts";
import { placesOf } from "../../compose/places.ts";
import type { LintProject } from "../lint-project.ts";
import { entriesOf, keyPosition } from "../places.ts";
import { at, quoted, type Rule } from "../rule.ts";

/** What the profiles that were not chosen would have needed. */
export const profiles: Rule = {
  codes: ["profile-left-out"],
  check(project) {
    if (project.sources.profiles.length === 0 || project.services.length === 0) return [];
    const kept = new Set(project.services.map(([name]) => name));
    return writtenServices(project)
      .filter((name) => !kept.has(name))
      .flatMap((name) => leftOut(project, name));
  },
};

/** Names of all services of the project's own files; those that only `extends` reads are none of it. */
function writtenServices(project: LintProject): string[] {
  const names = placesOf(project.graph, ["services"]).flatMap(({ document, node }) =>
    isMap(node) ? keysOf(document, node) : [],
  );
  return [...new Set(names)];
}

function leftOut(project: LintProject, name: string): Finding[] {
  const own = entriesOf(project.graph, "services", name, "profiles").flatMap(({ text }) => text ?? []);
  if (own.length === 0) return [];
  const image = entriesOf(project.graph, "services", name, "image")[0]?.text;
  return [
    {
      code: "profile-left-out",
      severity: "info",
      message: `'${name}'${image ? ` and its image '${image}'` : ""} ${image ? "are" : "is"} left out with the profile ${quoted([...new Set(own)])}.`,
      remedy: "Choose that profile as well if the site needs it.",
      ...at(keyPosition(project.graph, "services", name)),
    },
  ];
}
