import { compareEntryPaths } from "./entry-path.ts";
import { type ImageEntry, imageListingEntries } from "./image-entries.ts";
import type { BundledLayer, BundleEntry, Manifest } from "./manifest.ts";
import {
  BLOB_PREFIX,
  blobEntry,
  DOCKER_ARCHIVE_MANIFEST_ENTRY,
  EXTRA_PREFIX,
  LAYER_MEDIA_TYPES,
  OCI_INDEX_ENTRY,
  OCI_LAYOUT_ENTRY,
  OFFLINE_COMPOSE_ENTRY,
  OFFLINE_ENV_ENTRY,
  PROJECT_PREFIX,
} from "./names.ts";
import { sha256Hex } from "./sha256.ts";

/** What does not agree within a manifest whose fields are each well-formed; undefined if all does. */
export function manifestProblem(manifest: Manifest): string | undefined {
  return (
    duplicateProblem(manifest) ??
    orderProblem(manifest.entries) ??
    nestingProblem(manifest.entries) ??
    projectProblem(manifest) ??
    imageProblem(manifest) ??
    blobProblem(manifest) ??
    listingProblem(manifest)
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

/** Each entry belongs to one group; groups follow each other, and names are sorted within a group. */
const GROUPS: ((path: string) => boolean)[] = [
  (path) => path.startsWith(PROJECT_PREFIX),
  (path) => path === OFFLINE_COMPOSE_ENTRY,
  (path) => path === OFFLINE_ENV_ENTRY,
  (path) => path.startsWith(EXTRA_PREFIX),
  (path) => path === OCI_LAYOUT_ENTRY,
  (path) => path === OCI_INDEX_ENTRY,
  (path) => path === DOCKER_ARCHIVE_MANIFEST_ENTRY,
  (path) => path.startsWith(BLOB_PREFIX),
];
const BLOB_GROUP = GROUPS.length - 1;

function orderProblem(entries: BundleEntry[]): string | undefined {
  let group = 0;
  let previous: string | undefined;
  for (const { path, type } of entries) {
    const next = GROUPS.findIndex((belongs) => belongs(path));
    if (next === -1) return `entries has "${path}", which has no place in a bundle`;
    if (type === "directory" && !path.startsWith(PROJECT_PREFIX)) return `entries has the folder "${path}"`;
    if (path === PROJECT_PREFIX) return `entries has the folder "${path}", which is never empty`;
    // Blobs have an order of their own: see blobProblem.
    const sorted = next > group || previous === undefined || next === BLOB_GROUP || inOrder(previous, path);
    if (next < group || !sorted) return `entries has "${path}" out of order`;
    group = next;
    previous = path;
  }
  if (!entries.some((entry) => entry.path === OFFLINE_COMPOSE_ENTRY)) {
    return `entries lacks ${OFFLINE_COMPOSE_ENTRY}`;
  }
  return undefined;
}

function inOrder(previous: string, path: string): boolean {
  return compareEntryPaths(previous, path) < 0;
}

/** A path cannot be a file and a folder at once, and a folder is listed only if it is empty. */
function nestingProblem(entries: BundleEntry[]): string | undefined {
  const listed = new Set(entries.map((entry) => entry.path.replace(/\/$/, "")));
  if (listed.size < entries.length) return "entries has a path that is a file and a folder at once";
  for (const { path } of entries) {
    for (
      let slash = path.indexOf("/");
      slash !== -1 && slash < path.length - 1;
      slash = path.indexOf("/", slash + 1)
    ) {
      const parent = path.slice(0, slash);
      if (listed.has(parent))
        return `entries has "${path}" below "${parent}", which is a file or an empty folder`;
    }
  }
  return undefined;
}

/** The blobs are the images' configs and manifests, sorted, and then the layers, in the order of `layers`: nothing else. */
function blobProblem({ images, layers, entries }: Manifest): string | undefined {
  const metadata = new Set(
    images.flatMap((image) => [blobEntry(image.configDigest), blobEntry(image.manifestDigest)]),
  );
  const expected = [...[...metadata].sort(), ...layers.map((layer) => blobEntry(layer.digest))];
  const blobs = entries.filter((entry) => entry.path.startsWith(BLOB_PREFIX));
  const layersByPath = new Map(layers.map((layer) => [blobEntry(layer.digest), layer]));

  for (const [index, path] of expected.entries()) {
    const blob = blobs[index];
    if (blob?.path !== path)
      return `entries must have ${path} ${blob ? `instead of ${blob.path}` : "at the end"}`;
    if (blob.type !== "file" || blob.sha256 !== path.slice(BLOB_PREFIX.length)) {
      return `entries has ${path} with another sha256`;
    }
    const layer = layersByPath.get(path);
    if (layer !== undefined && layer.sizeBytes !== blob.sizeBytes) {
      return `entries has ${path} with ${blob.sizeBytes} bytes, layers with ${layer.sizeBytes}`;
    }
  }
  const extra = blobs[expected.length];
  return extra && `entries has ${extra.path}, which no image needs`;
}

/** What the engine reads first says the same as the manifest: the same tags, configs and layers, in the only way to write it. */
function listingProblem(manifest: Manifest): string | undefined {
  const entries = new Map(manifest.entries.map((entry) => [entry.path, entry]));
  const sizeBytes = (digest: string) => {
    const entry = entries.get(blobEntry(digest));
    return entry?.type === "file" ? entry.sizeBytes : 0;
  };
  const digests = new Map(manifest.layers.map((layer) => [layer.diffId, layer.digest]));
  const images = manifest.images.map((image) => ({
    tag: image.tag,
    configDigest: image.configDigest,
    manifest: { digest: image.manifestDigest, sizeBytes: sizeBytes(image.manifestDigest) },
    layerDigests: image.diffIds.map((diffId) => digests.get(diffId) ?? diffId),
  }));

  for (const listing of imageListingEntries(images, manifest.platform)) {
    const entry = entries.get(listing.path);
    if (entry === undefined) return `entries lacks ${listing.path}`;
    if (!describes(entry, listing))
      return `entries has ${listing.path} with a content that does not follow from images`;
  }
  const executable = manifest.entries.find(
    (entry) => !entry.path.startsWith(PROJECT_PREFIX) && entry.mode !== 0o644,
  );
  return executable && `entries has ${executable.path} with the mode of a program`;
}

function describes(entry: BundleEntry, { content }: ImageEntry): boolean {
  return entry.type === "file" && entry.sizeBytes === content.length && entry.sha256 === sha256Hex(content);
}
