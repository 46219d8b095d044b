import { type ComposeFlags, type DockerContext, readComposeModel } from "@drybag/docker";
import type { Manifest } from "@drybag/format";

export interface SiteValues {
  /** The value of each setting: the site's answer, else the env files', else the manifest's default. */
  settings: ReadonlyMap<string, string>;
  /** What must not be shown. */
  secrets: readonly string[];
}

/**
 * Asks Compose for the values of all settings: only it knows what the project's env files and the site's answers come to. A project
 * of one service that is never started carries the question.
 */
export async function readSiteValues(
  docker: DockerContext,
  manifest: Manifest,
  flags: ComposeFlags,
  signal: AbortSignal,
): Promise<SiteValues> {
  const names = manifest.settings.map(({ name }) => name);
  if (names.length === 0) return { settings: new Map(), secrets: [] };
  const environment = Object.fromEntries(names.map((name) => [name, `\${${name}-}`]));
  const question = { services: { settings: { image: "none", environment } } };
  const model = await readComposeModel(
    docker,
    { ...flags, files: ["-"], profiles: [] },
    { signal, input: JSON.stringify(question) },
  );
  const told = model.services?.settings?.environment ?? {};
  const settings = new Map(
    manifest.settings.map((setting) => {
      const value = told[setting.name];
      return [setting.name, value ? value : (setting.default ?? "")];
    }),
  );
  const secrets = manifest.settings
    .filter(({ secret }) => secret)
    .map(({ name }) => settings.get(name) ?? "");
  return { settings, secrets };
}
