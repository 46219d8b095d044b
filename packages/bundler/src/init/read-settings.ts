import { isDrybagError } from "@drybag/errors";
import type { Setting } from "@drybag/format";
import { type ComposeGraph, readComposeGraph } from "../compose/compose-graph.ts";
import { type EnvFile, readEnvFile } from "../compose/env-file.ts";
import { passedVariablesOf } from "../compose/passed-variables.ts";
import { variablesOf } from "../compose/variables-of.ts";
import { choosingVariables } from "../lint/rules/variables.ts";
import { collectSettings } from "../project/collect-settings.ts";

export interface ProjectSettings {
  settings: Setting[];
  /** Names of those that choose an image or a file. */
  choosing: string[];
  /** Why they could not be read. */
  problem: string | undefined;
}

/** The settings of a project as its files show them, without Docker. What cannot be read is for `pack` and `lint` to say. */
export async function readSettings(project: {
  folder: string;
  files: readonly string[];
  envFiles: readonly string[];
  environment: Readonly<Record<string, string | undefined>>;
}): Promise<ProjectSettings> {
  const envFiles: EnvFile[] = [];
  const values: Record<string, string> = {};
  for (const file of project.envFiles) {
    const read = await readEnvFile(file, values);
    if (read === undefined) continue;
    envFiles.push(read);
    Object.assign(values, read.values);
  }
  const own = Object.entries(project.environment).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  try {
    const graph = await readComposeGraph(project.files, project.folder, {
      ...values,
      ...Object.fromEntries(own),
    });
    return { ...settingsOf(graph, values, envFiles), problem: undefined };
  } catch (error) {
    if (!isDrybagError(error)) throw error;
    return { settings: [], choosing: [], problem: error.message };
  }
}

function settingsOf(
  graph: ComposeGraph,
  environment: Record<string, string>,
  envFiles: EnvFile[],
): Pick<ProjectSettings, "settings" | "choosing"> {
  const uses = graph.documents.flatMap((document) => [
    ...variablesOf(document),
    ...passedVariablesOf(document),
  ]);
  const unknown = uses
    .filter(({ name, required, mayBeEmpty }) => {
      const value = environment[name];
      return required && (value === undefined || (value === "" && !mayBeEmpty));
    })
    .map(({ name }) => name);
  const { settings } = collectSettings({ uses, environment, ownEnvironment: {}, unknown, envFiles });
  const choosing = choosingVariables({ graph, unknownVariables: settings.map(({ name }) => name) });
  return { settings, choosing };
}
