import { readFile } from "node:fs/promises";
import { type DockerContext, inspectImage } from "@drybag/docker";
import { collectImages, type NeededImage } from "../images/collect-images.ts";
import type { ProjectFlags } from "../options.ts";
import { collectFiles } from "../project/collect-files.ts";
import { loadProject } from "../project/load-project.ts";
import { gitVersion } from "../seal/bundle-version.ts";
import { bundledServices, describeFile } from "../seal/plan-bundle.ts";
import { appsOf } from "./bundle-side.ts";
import type { ReleaseImage, ReleaseSide } from "./release-side.ts";

/** What a pack of the project would carry now, as one side of release notes. Pulls and builds nothing. Throws as `loadProject`. */
export async function projectSide(
  docker: DockerContext,
  flags: ProjectFlags,
  given: { name: string | undefined; version: string | undefined },
  signal: AbortSignal,
): Promise<ReleaseSide> {
  const project = await loadProject(docker, flags, signal);
  const { files } = await collectFiles(project);
  const entries = [];
  for (const file of files) entries.push(await describeFile(file, signal));
  const extra = project.config?.extraImages.map(({ text }) => text);
  const images = await Promise.all(
    collectImages(project.model, extra).map((image) => describeImage(docker, image, signal)),
  );
  const apps = files.find((file) => file.type === "file" && /(?:^|\/)apps\.json$/.test(file.entry));
  const version = given.version ?? (await gitVersion(project.sources.projectDirectory, docker.env, signal));
  return {
    kind: "project",
    name: given.name ?? project.model.name,
    ...(version !== undefined && { version }),
    images: images.sort((a, b) => (a.tag < b.tag ? -1 : 1)),
    apps: appsOf(apps && (await readFile(apps.source, "utf8"))),
    settings: project.settings,
    services: bundledServices(project),
    entries,
    layers: [],
  };
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
