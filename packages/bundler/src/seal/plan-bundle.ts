import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import {
  type BackupRules,
  type BuildProvenance,
  type BundledImage,
  type BundledService,
  type BundleEntry,
  type BundleFileEntry,
  blobEntry,
  buildImageEntries,
  type Check,
  type Manifest,
  OFFLINE_COMPOSE_ENTRY,
  OFFLINE_ENV_ENTRY,
  type Platform,
  serializeManifest,
  type Task,
} from "@drybag/format";
import type { ChosenCompose } from "../carry-compose/choose-compose.ts";
import { carriedTag } from "../images/collect-images.ts";
import { serviceImage } from "../images/image-uses.ts";
import type { ResolvedImage } from "../images/resolve-images.ts";
import type { CarriedFile, CollectedFiles } from "../project/collect-files.ts";
import type { LoadedProject } from "../project/load-project.ts";
import { projectEntry } from "../project/project-files.ts";
import { blobPath, type LayerCache } from "../stage/layer-cache.ts";
import { readPieces } from "../stage/read-pieces.ts";
import type { StagedImage } from "../stage/stage-images.ts";
import { offlineComposeFile, offlineEnvFile } from "./offline-compose.ts";

/** A bundle, decided to the byte and not yet written. */
export interface BundlePlan {
  manifest: Manifest;
  /** Opens the content of an entry. */
  open(entry: BundleFileEntry): AsyncIterable<Uint8Array>;
}

export interface BundleParts {
  name: string;
  /** Made from the content when undefined. */
  version: string | undefined;
  platform: Platform;
  generatorVersion: string;
  project: LoadedProject;
  files: CollectedFiles;
  images: readonly ResolvedImage[];
  /** What images were built from, by tag. */
  provenance: ReadonlyMap<string, BuildProvenance>;
  staged: readonly StagedImage[];
  /** Entries below `extra/`, sorted: for people, and for readers newer than this one. */
  extra?: readonly { path: string; content: Buffer }[];
  /** The Compose that is carried. */
  compose: ChosenCompose | undefined;
  cache: LayerCache;
}

/** Oldest engine that the installer can bring images into, and oldest Compose that knows `!reset`. */
export const REQUIRES = { engine: "20.10.0", compose: "2.18.0" };
const FILE_MODE = 0o644;

/** Puts the manifest together; reads every carried file once, for its digest. */
export async function planBundle(parts: BundleParts, signal: AbortSignal): Promise<BundlePlan> {
  const { project, files, cache, platform } = parts;
  const imageEntries = buildImageEntries({ images: [...parts.staged], platform });
  const ownFiles = [
    { path: OFFLINE_COMPOSE_ENTRY, content: Buffer.from(offlineComposeFile(project.model)) },
    ...(Object.keys(project.packedEnvironment).length === 0
      ? []
      : [{ path: OFFLINE_ENV_ENTRY, content: Buffer.from(offlineEnvFile(project.packedEnvironment)) }]),
  ];
  const generated = [...ownFiles, ...(parts.extra ?? []), ...imageEntries.entries];
  const contents = new Map(generated.map((entry) => [entry.path, entry.content]));
  const sources = new Map<string, string>(files.files.map((file) => [file.entry, file.source]));
  for (const layer of imageEntries.layerOrder)
    sources.set(blobEntry(layer.digest), blobPath(cache, layer.digest));
  if (parts.compose) sources.set(parts.compose.entry, parts.compose.source);

  const carried: BundleEntry[] = [];
  for (const file of files.files) carried.push(await describeFile(file, signal));
  const { tasks, checks, backup } = bundledTasks(project);
  const draft: Manifest = {
    format: "drybag",
    formatVersion: 1,
    critical: tasks.length > 0 ? ["tasks"] : [],
    name: parts.name,
    version: parts.version ?? "0",
    platform,
    generator: { name: "drybag", version: parts.generatorVersion },
    requires: REQUIRES,
    ...(parts.compose && { compose: { entry: parts.compose.entry, version: parts.compose.version } }),
    project: {
      directory: projectEntry(files.root, project.sources.projectDirectory),
      composeFiles: project.sources.composeFiles.map((file) => projectEntry(files.root, file)),
      envFiles: [
        ...project.sources.envFiles.map((file) => projectEntry(files.root, file)),
        ...(contents.has(OFFLINE_ENV_ENTRY) ? [OFFLINE_ENV_ENTRY] : []),
      ],
      profiles: project.sources.profiles,
    },
    services: bundledServices(project),
    images: bundledImages(parts, imageEntries.images),
    layers: imageEntries.layerOrder,
    settings: project.settings,
    ...(tasks.length > 0 && { tasks }),
    ...(checks.length > 0 && { checks }),
    ...(backup !== undefined && { backup }),
    entries: [
      ...carried,
      ...ownFiles.map(describeContent),
      ...[
        ...(await describeCompose(parts.compose, signal)),
        ...(parts.extra ?? []).map(describeContent),
      ].sort((a, b) => (a.path < b.path ? -1 : 1)),
      ...imageEntries.entries.map(describeContent),
      ...imageEntries.layerOrder.map(
        (layer): BundleEntry => ({
          type: "file",
          path: blobEntry(layer.digest),
          sizeBytes: layer.sizeBytes,
          sha256: layer.digest.replace(/^sha256:/, ""),
          mode: FILE_MODE,
        }),
      ),
    ],
  };
  const manifest = parts.version === undefined ? { ...draft, version: contentVersion(draft) } : draft;
  return {
    manifest,
    open(entry) {
      const content = contents.get(entry.path);
      // An array, since an empty buffer would end the stream before it began.
      if (content !== undefined) return Readable.from(content.length === 0 ? [] : [content]);
      return readPieces(sources.get(entry.path) as string);
    },
  };
}

async function describeCompose(
  compose: ChosenCompose | undefined,
  signal: AbortSignal,
): Promise<BundleEntry[]> {
  if (compose === undefined) return [];
  const file = { type: "file", entry: compose.entry, source: compose.source, mode: FILE_MODE } as const;
  return [await describeFile(file, signal)];
}

/** The same content always has the same version. */
function contentVersion(draft: Manifest): string {
  return `c${createHash("sha256").update(serializeManifest(draft)).digest("hex").slice(0, 12)}`;
}

export async function describeFile(
  file: Pick<CarriedFile, "type" | "source" | "entry" | "mode">,
  signal: AbortSignal,
): Promise<BundleEntry> {
  if (file.type === "directory") return { type: "directory", path: file.entry, mode: file.mode };
  const hash = createHash("sha256");
  let sizeBytes = 0;
  await pipeline(
    createReadStream(file.source),
    async function* (chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        sizeBytes += chunk.length;
        yield chunk;
      }
    },
    hash,
    { signal },
  );
  return { type: "file", path: file.entry, sizeBytes, sha256: hash.digest("hex"), mode: file.mode };
}

function describeContent({ path, content }: { path: string; content: Buffer }): BundleFileEntry {
  const sha256 = createHash("sha256").update(content).digest("hex");
  return { type: "file", path, sizeBytes: content.length, sha256, mode: FILE_MODE };
}

export function bundledServices(project: LoadedProject): BundledService[] {
  const oneShots = new Set(project.config?.oneShots.map(({ text }) => text));
  return Object.entries(project.model.services ?? {})
    .filter(([, service]) => !service.provider && (service.image || service.build))
    .map(([name, service]) => ({
      name,
      image: carriedTag(serviceImage(project.model.name, name, service)),
      profiles: service.profiles ?? [],
      ...(oneShots.has(name) && { oneShot: true as const }),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** In the order of drybag.yaml: that is how tasks run. */
function bundledTasks({ config }: LoadedProject): {
  tasks: Task[];
  checks: Check[];
  backup: BackupRules | undefined;
} {
  const values = <T>(declared: readonly { value: T }[] = []) => declared.map(({ value }) => value);
  return { tasks: values(config?.tasks), checks: values(config?.checks), backup: config?.backup?.value };
}

function bundledImages(
  parts: BundleParts,
  described: readonly { tag: string; configDigest: string; manifestDigest: string }[],
): BundledImage[] {
  return parts.staged.map((image, index) => {
    const { configDigest, manifestDigest } = described[index] as (typeof described)[number];
    const build = parts.provenance.get(image.tag);
    const facts = parts.images.find((each) => each.tag === image.tag)?.facts;
    return {
      tag: image.tag,
      configDigest,
      manifestDigest,
      diffIds: image.layers.map((layer) => layer.diffId),
      sizeBytes: image.layers.reduce((sum, layer) => sum + layer.uncompressedSizeBytes, 0),
      provenance: {
        repoDigests: [...(facts?.repoDigests ?? [])].sort(),
        ...(build !== undefined && { build }),
      },
    };
  });
}
