import type { EnvFile } from "../compose/env-file.ts";
import { interpolate } from "../compose/interpolate.ts";
import type { Via } from "../compose/look-up.ts";
import type { Located } from "./locate-value.ts";

/** Where variables get their values, as Compose looks: this program's environment, then the env files, the last first. */
export interface VariableSources {
  ownEnvironment: Readonly<Record<string, string | undefined>>;
  /** The project's, in the order of `--env-file`. */
  envFiles: readonly EnvFile[];
}

/** The variables that made a value what it is, each with the place where it is set. */
export function traceVariables({ text, unit }: Located, sources: VariableSources): Via[] {
  const used = new Set<string>();
  interpolate(text, unit.environment, (name) => used.add(name));
  return [...used].map((name) => ({
    kind: "variable",
    name,
    ...placeOf(name, [...sources.envFiles, ...unit.envFiles], sources),
  }));
}

function placeOf(
  name: string,
  envFiles: readonly EnvFile[],
  { ownEnvironment }: VariableSources,
): { file: string; line: number; column: number } | Record<never, never> {
  // Set in the environment: there is no place to show.
  if (ownEnvironment[name] !== undefined) return {};
  const position = envFiles
    .toReversed()
    .map((file) => file.positionOf(name))
    .find((place) => place !== undefined);
  return position ?? {};
}
