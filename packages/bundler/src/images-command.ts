import path from "node:path";
import type { DockerContext } from "@drybag/docker";
import type { RunContext } from "@drybag/terminal";
import { table } from "@drybag/terminal";
import { withBuildVariables } from "./build/build-variables.ts";
import { findConfig } from "./config/find-config.ts";
import { type ListedImage, type ListedUse, listImages } from "./images/list-images.ts";
import type { ProjectFlags } from "./options.ts";
import { loadProject } from "./project/load-project.ts";
import { type ProjectCommandFlags, projectFlags } from "./project-options.ts";

/** `drybag images`: every image that the stack needs, and where the user wrote it. Needs no engine. */
export async function imagesCommand(context: RunContext, flags: ProjectCommandFlags): Promise<void> {
  const config = await findConfig(flags, context.cwd);
  const chosen = projectFlags(flags, context.cwd, config);
  const docker = await withBuildVariables({ env: context.env }, config, context.signal);
  const [images, all] = await Promise.all([
    readImages(context, docker, chosen),
    // What the profiles that were not chosen would need is shown too.
    chosen.profiles.length > 0 ? readImages(context, docker, { ...chosen, profiles: ["*"] }) : [],
  ]);
  const leftOut = all.filter(
    (image) => !images.some((each) => each.as === image.as && each.kind === image.kind),
  );
  if (context.json) {
    context.stdout.write(`${JSON.stringify({ images, leftOut })}\n`);
    return;
  }
  const width = context.stdout.isTTY ? context.stdout.columns : undefined;
  const ofBuilds = Object.keys(docker.env).filter((name) => context.env[name] === undefined);
  const show = { cwd: context.cwd, width, ofBuilds };
  context.stdout.write(`${imagesTable(images, show)}\n`);
  if (leftOut.length > 0) {
    context.stdout.write(
      `\nLeft out with the profiles that were not chosen:\n${imagesTable(leftOut, show)}\n`,
    );
  }
}

async function readImages(
  context: RunContext,
  docker: DockerContext,
  flags: ProjectFlags,
): Promise<ListedImage[]> {
  const project = await loadProject(docker, flags, context.signal);
  return listImages(project, context.env);
}

interface Show {
  cwd: string;
  width: number | undefined;
  /** Variables that builds of drybag.yaml set. */
  ofBuilds: readonly string[];
}

function imagesTable(images: readonly ListedImage[], show: Show): string {
  const rows = images.map((image) => [
    image.as,
    image.build && image.kind !== "build" ? `${image.kind}, built` : image.kind,
    places(image.uses, show),
    [...new Set(image.uses.flatMap((use) => use.service ?? []))].join(", ") +
      (image.profiles.length > 0 ? ` (profile ${image.profiles.join(", ")})` : ""),
  ]);
  return table([["IMAGE", "KIND", "WRITTEN AT", "SERVICES"], ...rows], { width: show.width });
}

/** Each place once: several services often share one. Then the variables that chose the tag. */
function places(uses: readonly ListedUse[], { cwd, ofBuilds }: Show): string {
  const show = (use: { file?: string; line?: number; column?: number }) =>
    use.file === undefined ? "" : `${path.relative(cwd, use.file)}:${use.line}:${use.column}`;
  const variables = uses.flatMap((use) => use.via.filter((step) => step.kind === "variable"));
  const written = [...new Set(uses.map(show).filter(Boolean))];
  const chosen = [
    ...new Set(
      variables.map(
        (step) =>
          `${step.name} ${show(step) || (ofBuilds.includes(step.name) ? "from the build" : "from the environment")}`,
      ),
    ),
  ];
  return chosen.length === 0 ? written.join(", ") : `${written.join(", ")} (${chosen.join(", ")})`;
}
