import { readFile } from "node:fs/promises";
import { type DockerContext, inspectImage } from "@drybag/docker";
import { withBuildVariables } from "../build/build-variables.ts";
import type { Config } from "../config/load-config.ts";
import { collectImages, type NeededImage } from "../images/collect-images.ts";
import type { ProjectFlags } from "../options.ts";
import { appPins } from "../pins/app-pins.ts";
import { type CarriedFile, collectFiles } from "../project/collect-files.ts";
import { loadProject } from "../project/load-project.ts";
import { gitVersion } from "../seal/bundle-version.ts";
import { bundledServices, describeFile } from "../seal/plan-bundle.ts";
import { appsOf } from "./bundle-side.ts";
import type { ReleaseApp, ReleaseImage, ReleaseSide } from "./release-side.ts";

/** What a pack of the project would carry now, as one side of release notes. Pulls and builds nothing. Throws as `loadProject`. */
export async function projectSide(
  docker: DockerContext,
  flags: ProjectFlags,
  config: Config | undefined,
  signal: AbortSignal,
): Promise<ReleaseSide> {
  const project = await loadProject(await withBuildVariables(docker, config, signal), flags, signal);
  const { files } = await collectFiles(project);
  const entries = [];
  for (const file of files) entries.push(await describeFile(file, signal));
  const extra = project.config?.extraImages.map(({ text }) => text);
  const images = await Promise.all(
    collectImages(project.model, extra).map((image) => describeImage(docker, image, signal)),
  );
  const version = config?.version ?? (await gitVersion(project.sources.projectDirectory, docker.env, signal));
  return {
    kind: "project",
    name: config?.name ?? project.model.name,
    ...(version !== undefined && { version }),
    images: images.sort((a, b) => (a.tag < b.tag ? -1 : 1)),
    apps: await appsOfProject(config, files),
    settings: project.settings,
    services: bundledServices(project),
    entries,
    layers: [],
  };
}

/** What the recipe pins, else what a carried apps.json asks for. */
async function appsOfProject(
  config: Config | undefined,
  files: readonly CarriedFile[],
): Promise<ReleaseApp[]> {
  const frappe = config?.project.frappe;
  if (frappe !== undefined) {
    const pins = await appPins(frappe);
    return pins.map(({ name, ref, commit }) => ({
      name,
      ref: ref?.text ?? commit?.text ?? "",
      ...(commit && { commit: commit.text }),
    }));
  }
  const carried = files.find((file) => file.type === "file" && /(?:^|\/)apps\.json$/.test(file.entry));
  return appsOf(carried && (await readFile(carried.source, "utf8")));
}

/** As the engine has it; where it has not, or there is no engine, only the tag is known. */
async function describeImage(
  docker: DockerContext,
  { reference, tag }: NeededImage,
  signal: AbortSignal,
): Promise<ReleaseImage> {
  const facts = await inspectImage(docker, reference, { signal });
  if (facts === undefined) return { tag, repoDigests: [] };
  return { tag, repoDigests: [...facts.repoDigests].sort(), diffIds: facts.diffIds };
}
