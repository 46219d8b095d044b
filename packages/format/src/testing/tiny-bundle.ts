import { Readable } from "node:stream";
import { compareEntryPaths } from "../entry-path.ts";
import { buildImageEntries } from "../image-entries.ts";
import type { BundledLayer, BundleEntry, BundleFileEntry, Manifest } from "../manifest.ts";
import { blobEntry, LAYER_MEDIA_TYPES } from "../names.ts";
import { sha256Hex } from "../sha256.ts";

export interface TinyBundle {
  manifest: Manifest;
  /** By the path of the entry. */
  contents: Map<string, Buffer>;
  open(entry: BundleFileEntry): Readable;
}

export interface TinyBundleOptions {
  /** Files below `project/` besides the Compose file; a path that ends with a slash is an empty folder. */
  project?: Record<string, Buffer | string>;
  /** Sizes of the layers: of a base that all images share, then of one more for each image. */
  layerSizes?: number[];
  /** What the first layer holds, in place of noise. */
  firstLayer?: Buffer;
  /** What the manifest says that it becomes; three times its size unless told. */
  firstLayerBecomesBytes?: number;
  version?: string;
}

/** A small bundle with everything that a real one has. Its layers are not real tars: the format does not look into them. */
export function tinyBundle(options: TinyBundleOptions = {}): TinyBundle {
  const contents = new Map<string, Buffer>();
  const fileEntry = (path: string, content: Buffer, mode = 0o644): BundleFileEntry => {
    contents.set(path, content);
    return { type: "file", path, sizeBytes: content.length, sha256: sha256Hex(content), mode };
  };

  const project: Record<string, Buffer | string> = {
    "compose.yaml": "services: {web: {image: tiny/web}, cache: {image: 'redis:8.6-alpine'}}\n",
    ".env": "PORT=8080\n",
    "config/start.sh": "#!/bin/sh\n",
    "data/": "",
    "empty.txt": "",
    ...options.project,
  };
  const projectEntries = Object.entries(project)
    .map(([name, content]): BundleEntry => {
      if (name.endsWith("/")) return { type: "directory", path: `project/${name}`, mode: 0o755 };
      return fileEntry(`project/${name}`, Buffer.from(content), name.endsWith(".sh") ? 0o755 : 0o644);
    })
    .sort((a, b) => compareEntryPaths(a.path, b.path));

  const [base, ...own] = (options.layerSizes ?? [3000, 700, 1500]).map((sizeBytes, index) =>
    index === 0 && options.firstLayer
      ? layerWith(options.firstLayer, index, options.firstLayerBecomesBytes)
      : layerWith(noise(sizeBytes, index), index),
  );
  if (base === undefined) throw new Error("at least one layer");
  const images = ["tiny/web:latest", "redis:8.6-alpine", "tiny/third:1", "tiny/fourth:1"].slice(
    0,
    Math.max(own.length, 1),
  );
  const built = buildImageEntries({
    platform: { os: "linux", architecture: "amd64" },
    images: images.map((tag, index) => {
      const layers = own[index] === undefined ? [base] : [base, own[index]];
      return {
        tag,
        layers: layers.map(({ layer }) => layer),
        config: tinyConfig(layers.map(({ layer }) => layer)),
      };
    }),
  });
  for (const { layer, content } of [base, ...own]) contents.set(blobEntry(layer.digest), content);
  const digestHex = (digest: string) => digest.slice("sha256:".length);

  const manifest: Manifest = {
    format: "drybag",
    formatVersion: 1,
    critical: [],
    name: "tiny",
    version: options.version ?? "1.0",
    platform: { os: "linux", architecture: "amd64" },
    generator: { name: "drybag", version: "0.1.0" },
    requires: { engine: "23.0.0", compose: "2.18.0" },
    project: {
      directory: "project",
      composeFiles: ["project/compose.yaml"],
      envFiles: ["project/.env"],
      profiles: [],
    },
    services: [
      { name: "web", image: "tiny/web:latest", profiles: [] },
      ...(own.length > 1 ? [{ name: "cache", image: "redis:8.6-alpine", profiles: ["cache"] }] : []),
    ],
    images: built.images.map((image, index) => {
      const layers = own[index] === undefined ? [base] : [base, own[index]];
      return {
        ...image,
        diffIds: layers.map(({ layer }) => layer.diffId),
        sizeBytes: layers.reduce((sum, { layer }) => sum + layer.uncompressedSizeBytes, 0),
        provenance: { repoDigests: [] },
      };
    }),
    layers: built.layerOrder,
    settings: [
      {
        name: "PORT",
        required: false,
        secret: false,
        default: "8080",
        description: "Port of the web server",
      },
    ],
    entries: [
      ...projectEntries,
      fileEntry("compose.offline.yaml", Buffer.from("services: {web: {pull_policy: never}}\n")),
      ...built.entries.map(({ path, content }) => fileEntry(path, content)),
      ...built.layerOrder.map((layer) => ({
        type: "file" as const,
        path: blobEntry(layer.digest),
        sizeBytes: layer.sizeBytes,
        sha256: digestHex(layer.digest),
        mode: 0o644,
      })),
    ],
  };

  const open = (entry: BundleFileEntry) => {
    const content = contents.get(entry.path);
    if (content === undefined) throw new Error(`no content for ${entry.path}`);
    return Readable.from(pieces(content), { objectMode: false });
  };
  return { manifest, contents, open };
}

/** Bytes that do not repeat and are the same in every run. */
export function noise(sizeBytes: number, seed: number): Buffer {
  const bytes = Buffer.alloc(sizeBytes);
  let state = seed * 2654435761 + 1;
  for (let at = 0; at < sizeBytes; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}

function layerWith(
  content: Buffer,
  seed: number,
  becomesBytes = content.length * 3,
): { layer: BundledLayer; content: Buffer } {
  return {
    content,
    layer: {
      diffId: `sha256:${sha256Hex(Buffer.from(`uncompressed ${seed}`))}`,
      digest: `sha256:${sha256Hex(content)}`,
      mediaType: LAYER_MEDIA_TYPES.zstd,
      sizeBytes: content.length,
      uncompressedSizeBytes: becomesBytes,
    },
  };
}

function tinyConfig(layers: BundledLayer[]): Buffer {
  const rootfs = { type: "layers", diff_ids: layers.map((layer) => layer.diffId) };
  return Buffer.from(JSON.stringify({ architecture: "amd64", os: "linux", config: {}, rootfs }));
}

function* pieces(content: Buffer): Generator<Buffer> {
  for (let at = 0; at < content.length; at += 65_536) yield content.subarray(at, at + 65_536);
}
