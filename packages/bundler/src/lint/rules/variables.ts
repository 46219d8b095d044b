import type { Finding } from "@drybag/errors";
import type { Position } from "../../compose/compose-document.ts";
import { interpolate } from "../../compose/interpolate.ts";
import { scanVariables } from "../../compose/scan-variables.ts";
import type { LintProject } from "../lint-project.ts";
import type { Rule } from "../rule.ts";
import { type WrittenScalar, writtenScalars } from "../written-scalars.ts";

/** Variables without a value: asked for on site, or needed here already, or silently empty. */
export const variables: Rule = {
  codes: ["setting-missing", "setting-asked", "variable-empty"],
  check: (project) => [...requiredVariables(project), ...emptyVariables(project)],
};

/** The variables among those without a value that choose an image or a file, as far as the text tells; else all of them. */
export function decisiveVariables(project: Pick<LintProject, "graph" | "unknownVariables">): string[] {
  const found = choosingVariables(project);
  return found.length > 0 ? found : project.unknownVariables;
}

/** The variables among those without a value that stand in the name of an image or a file. */
export function choosingVariables(project: Pick<LintProject, "graph" | "unknownVariables">): string[] {
  const decisive = new Set(scalarsOf(project).filter(isDecisive).flatMap(namesIn));
  return project.unknownVariables.filter((name) => decisive.has(name));
}

function requiredVariables(project: LintProject): Finding[] {
  const scalars = scalarsOf(project);
  const decisive = new Set(project.decisiveVariables);
  return project.unknownVariables.flatMap((name): Finding[] => {
    const uses = scalars.filter(({ text }) => requires(text, name));
    const position = (uses.find(isDecisive) ?? uses[0])?.position;
    if (decisive.has(name)) {
      return [
        {
          code: "setting-missing",
          severity: "error",
          message: `${name} has no value, but chooses an image or a file of the bundle.`,
          remedy: `Set it in the env file: ${name}=…`,
          ...(position && { position }),
        },
      ];
    }
    return [
      {
        code: "setting-asked",
        severity: "info",
        message: `${name} must have a value and has none here: it is asked for on site.`,
        remedy: "Set it in the env file if it is the same on every site.",
        ...(position && { position }),
      },
    ];
  });
}

/** Names of variables that Compose replaces with nothing, warning of it on each command. One finding a variable. */
function emptyVariables(project: LintProject): Finding[] {
  const first = new Map<string, Position>();
  for (const unit of project.graph.units) {
    for (const scalar of unit.documents.flatMap(writtenScalars)) {
      for (const name of namesIn(scalar)) {
        // Elsewhere it must have a value: then it is asked for, and stands here too.
        if (project.unknownVariables.includes(name)) continue;
        if (!first.has(name) && endsUpEmpty(scalar.text, name, unit.environment)) {
          first.set(name, scalar.position);
        }
      }
    }
  }
  return [...first].map(([name, position]) => ({
    code: "variable-empty",
    severity: "warning",
    message: `${name} has no value and no default, so nothing stands in its place.`,
    remedy: `Set it in the env file, give it a default (\${${name}:-…}), or write $$${name} if the container should see a dollar sign.`,
    position,
  }));
}

const MARK = "\u0001";

/** Whether a variable without a value would be replaced by it, no default standing in between. */
function endsUpEmpty(text: string, name: string, environment: Readonly<Record<string, string>>): boolean {
  if (environment[name] !== undefined) return false;
  const plain = scanVariables(text).some(
    (use) => use.name === name && !use.required && use.default === undefined,
  );
  return plain && interpolate(withoutDefaults(text, name), { ...environment, [name]: MARK }).includes(MARK);
}

/** Uses of a variable that have a default or an error of their own do not count. */
function withoutDefaults(text: string, name: string): string {
  return text.replaceAll(new RegExp(`\\$\\{${name}:?[-?+]`, "g"), (start) => start.replace(name, `_${name}`));
}

function scalarsOf({ graph }: Pick<LintProject, "graph">): WrittenScalar[] {
  return graph.documents.flatMap(writtenScalars);
}

function namesIn({ text }: WrittenScalar): string[] {
  return text.includes("$") ? [...new Set(scanVariables(text).map((use) => use.name))] : [];
}

function requires(text: string, name: string): boolean {
  return text.includes(name) && scanVariables(text).some((use) => use.name === name && use.required);
}

/** Values that a bundle is made from. */
function isDecisive({ keys }: WrittenScalar): boolean {
  const [section, , key] = keys;
  const last = keys.at(-1);
  if (section === "include") return true;
  if (section === "configs" || section === "secrets") return last === "file";
  if (section === "services") {
    return ["image", "build", "extends", "env_file", "label_file", "volumes", "platform"].includes(key ?? "");
  }
  return section?.startsWith("x-") === true && (last === "image" || last === "volumes");
}
