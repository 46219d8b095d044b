import { entriesProblem } from "./entry-rules.ts";
import { imageEntriesProblem } from "./image-entry-rules.ts";
import type { BundledLayer, Manifest } from "./manifest.ts";
import { composeEntry, LAYER_MEDIA_TYPES, OFFLINE_ENV_ENTRY, PROJECT_PREFIX } from "./names.ts";
import { tasksProblem } from "./task-rules.ts";

/** What does not agree within a manifest whose fields are each well-formed; undefined if all does. */
export function manifestProblem(manifest: Manifest): string | undefined {
  return (
    duplicateProblem(manifest) ??
    entriesProblem(manifest.entries) ??
    projectProblem(manifest) ??
    composeProblem(manifest) ??
    imageProblem(manifest) ??
    imageEntriesProblem(manifest) ??
    tasksProblem(manifest)
  );
}

function duplicateProblem(manifest: Manifest): string | undefined {
  return (
    firstDuplicate(
      "entries",
      "path",
      manifest.entries.map((entry) => entry.path),
    ) ??
    firstDuplicate(
      "images",
      "tag",
      manifest.images.map((image) => image.tag),
    ) ??
    firstDuplicate(
      "layers",
      "diffID",
      manifest.layers.map((layer) => layer.diffId),
    ) ??
    firstDuplicate(
      "layers",
      "digest",
      manifest.layers.map((layer) => layer.digest),
    ) ??
    firstDuplicate(
      "services",
      "name",
      manifest.services.map((service) => service.name),
    ) ??
    firstDuplicate(
      "settings",
      "name",
      manifest.settings.map((setting) => setting.name),
    ) ??
    firstDuplicate(
      "tasks",
      "name",
      (manifest.tasks ?? []).map((task) => task.name),
    ) ??
    firstDuplicate(
      "checks",
      "name",
      (manifest.checks ?? []).map((check) => check.name),
    )
  );
}

function firstDuplicate(list: string, what: string, values: string[]): string | undefined {
  const seen = new Set<string>();
  for (const value of values) {
    if (seen.has(value)) return `${list} has the ${what} ${value} twice`;
    seen.add(value);
  }
  return undefined;
}

function projectProblem({ project, entries }: Manifest): string | undefined {
  const files = new Set(entries.filter((entry) => entry.type === "file").map((entry) => entry.path));
  if (project.composeFiles.length === 0) return "project.composeFiles is empty";
  const ownValues = project.envFiles.at(-1) === OFFLINE_ENV_ENTRY;
  const carried = [
    ...project.composeFiles,
    ...(ownValues ? project.envFiles.slice(0, -1) : project.envFiles),
  ];
  for (const path of carried) {
    if (!path.startsWith(PROJECT_PREFIX))
      return `project has "${path}", which does not lie in ${PROJECT_PREFIX}`;
    if (!files.has(path)) return `project has "${path}", which is not in entries`;
  }
  if (files.has(OFFLINE_ENV_ENTRY) !== ownValues) {
    return `${OFFLINE_ENV_ENTRY} must be in entries and the last of project.envFiles, or in neither`;
  }
  if (new Set(project.composeFiles).size < project.composeFiles.length)
    return "project.composeFiles has a file twice";
  if (new Set(project.envFiles).size < project.envFiles.length) return "project.envFiles has a file twice";
  const { directory } = project;
  if (!`${directory}/`.startsWith(PROJECT_PREFIX) || directory.endsWith("/")) {
    return `project.directory "${directory}" must be "project" or a folder in it, without a slash at the end`;
  }
  if (!entries.some((entry) => entry.path.startsWith(`${directory}/`))) {
    return `project.directory "${directory}" is not in entries`;
  }
  return undefined;
}

function composeProblem({ compose, platform, entries }: Manifest): string | undefined {
  if (compose === undefined) return undefined;
  const wanted = composeEntry(platform.os, platform.architecture);
  if (compose.entry !== wanted) return `compose.entry is "${compose.entry}" instead of "${wanted}"`;
  const isThere = entries.some(({ path }) => path === compose.entry);
  return isThere ? undefined : `compose.entry "${compose.entry}" is not in entries`;
}

function imageProblem({ images, layers, services }: Manifest): string | undefined {
  const layersByDiffId = new Map(layers.map((layer) => [layer.diffId, layer]));
  const used = new Set<string>();
  for (const image of images) {
    let sizeBytes = 0;
    for (const diffId of image.diffIds) {
      const layer = layersByDiffId.get(diffId);
      if (layer === undefined)
        return `the image ${image.tag} has the layer ${diffId}, which is not in layers`;
      sizeBytes += layer.uncompressedSizeBytes;
      used.add(diffId);
    }
    if (sizeBytes !== image.sizeBytes) {
      return `the image ${image.tag} has ${image.sizeBytes} bytes, but its layers have ${sizeBytes}`;
    }
  }
  for (const layer of layers) {
    if (!used.has(layer.diffId)) return `layers has ${layer.diffId}, which is in no image`;
    const problem = uncompressedLayerProblem(layer);
    if (problem !== undefined) return problem;
  }
  const tags = new Set(images.map((image) => image.tag));
  for (const service of services) {
    if (!tags.has(service.image))
      return `the service ${service.name} runs ${service.image}, which is not in images`;
  }
  return undefined;
}

function uncompressedLayerProblem(layer: BundledLayer): string | undefined {
  if (layer.mediaType !== LAYER_MEDIA_TYPES.none) return undefined;
  if (layer.digest === layer.diffId && layer.sizeBytes === layer.uncompressedSizeBytes) return undefined;
  return `the layer ${layer.diffId} is not compressed, so its digests and sizes must be the same`;
}
