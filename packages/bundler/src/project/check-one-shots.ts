import path from "node:path";
import type { ComposeModel } from "@drybag/docker";
import { nearestName } from "@drybag/terminal";
import { configInvalid, type Mistake } from "../config/config-document.ts";
import type { ProjectConfig } from "../config/project-config.ts";

/** Throws `config-invalid` for each of `oneShots` that is no service of the project. */
export function checkOneShots(config: ProjectConfig, model: ComposeModel): void {
  const services = Object.keys(model.services ?? {});
  const mistakes = config.oneShots
    .filter(({ text }) => !services.includes(text))
    .map(({ text, position }): Mistake => {
      const meant = nearestName(text, services);
      const known = meant === undefined ? `there are ${services.join(", ")}` : `did you mean '${meant}'?`;
      return { position, message: `oneShots: the project has no service '${text}'; ${known}` };
    });
  if (mistakes.length > 0) throw configInvalid(path.basename(config.file), mistakes);
}
