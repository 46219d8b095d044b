import path from "node:path";
import { nearestName } from "@drybag/terminal";
import { isMap } from "yaml";
import type { ComposeGraph } from "../compose/compose-graph.ts";
import { keysOf, lookUpPath } from "../compose/look-up.ts";
import { configInvalid, type Mistake } from "../config/config-document.ts";
import type { ProjectConfig } from "../config/project-config.ts";

/** Throws `config-invalid` for each of `oneShots` that is no service of the project, whatever its profile. */
export function checkOneShots(config: ProjectConfig, graph: ComposeGraph): void {
  const services = [...new Set(graph.documents.flatMap(servicesIn))];
  const mistakes = config.oneShots
    .filter(({ text }) => !services.includes(text))
    .map(({ text, position }): Mistake => {
      const meant = nearestName(text, services);
      const known = meant === undefined ? `there are ${services.join(", ")}` : `did you mean '${meant}'?`;
      return { position, message: `oneShots: the project has no service '${text}'; ${known}` };
    });
  if (mistakes.length > 0) throw configInvalid(path.basename(config.file), mistakes);
}

function servicesIn(document: ComposeGraph["documents"][number]): string[] {
  const services = lookUpPath(document, ["services"])?.node;
  return isMap(services) ? keysOf(document, services) : [];
}
