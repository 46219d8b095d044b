import { DrybagError } from "@drybag/errors";
import { normalizeReference } from "./image-reference.ts";
import type { BundledLayer, Platform } from "./manifest.ts";
import { blobEntry, DOCKER_ARCHIVE_MANIFEST_ENTRY, OCI_INDEX_ENTRY, OCI_LAYOUT_ENTRY } from "./names.ts";
import { sha256Hex } from "./sha256.ts";

export interface ImageToBundle {
  tag: string;
  /** The image config, byte for byte as the engine has it. */
  config: Buffer;
  /** In order, base first; an image may have the same layer twice. */
  layers: BundledLayer[];
}

export interface ImageEntry {
  path: string;
  content: Buffer;
}

export interface ImageEntries {
  /** In the order of the bundle: oci-layout, index.json, manifest.json, then configs and manifests, each once. */
  entries: ImageEntry[];
  /** One for each image given, in that order; the tag as Docker shows it (`redis` becomes `redis:latest`). */
  images: { tag: string; configDigest: string; manifestDigest: string }[];
  /** All layers once, in the order in which they are stored and loaded. */
  layerOrder: BundledLayer[];
}

/**
 * Makes everything but the layers of a tar that is an OCI image layout and a Docker image archive at the same time.
 * The same images in another order give the same entries and layer order.
 * Formats: https://github.com/opencontainers/image-spec (image-layout.md, image-index.md, manifest.md) and, for manifest.json,
 * https://github.com/moby/docker-image-spec (v1.3, "Combined Image JSON + Filesystem Changeset Format").
 * Throws reference-invalid, or image-mismatch if a config does not belong to its layers.
 */
export function buildImageEntries(input: { images: ImageToBundle[]; platform: Platform }): ImageEntries {
  const blobs = new Map<string, Buffer>();
  const addBlob = (content: Buffer) => {
    const digest = `sha256:${sha256Hex(content)}`;
    blobs.set(blobEntry(digest), content);
    return { digest, sizeBytes: content.length };
  };

  const images = input.images.map(({ tag, config, layers }) => {
    const reference = normalizeReference(tag);
    if (reference.digest !== undefined) {
      throw new DrybagError("reference-invalid", `"${tag}" has a digest; images are bundled by tag`);
    }
    refuseForeignConfig(tag, config, layers);
    const storedConfig = addBlob(config);
    return {
      tag: reference.familiar,
      configDigest: storedConfig.digest,
      manifest: addBlob(imageManifest(storedConfig, layers)),
      layerDigests: layers.map((layer) => layer.digest),
      layers,
    };
  });

  const metadata = [...blobs]
    .map(([path, content]) => ({ path, content }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  return {
    entries: [...imageListingEntries(images, input.platform), ...metadata],
    images: images.map(({ tag, configDigest, manifest }) => ({
      tag,
      configDigest,
      manifestDigest: manifest.digest,
    })),
    layerOrder: layersOnce(byTag(images).flatMap((image) => image.layers)),
  };
}

export interface ListedImage {
  tag: string;
  configDigest: string;
  manifest: { digest: string; sizeBytes: number };
  /** Of the blobs, base first. */
  layerDigests: string[];
}

/** oci-layout, index.json and manifest.json: they follow from the images, whatever these are. */
export function imageListingEntries(images: ListedImage[], platform: Platform): ImageEntry[] {
  const sorted = byTag(images);
  return [
    { path: OCI_LAYOUT_ENTRY, content: json({ imageLayoutVersion: "1.0.0" }) },
    { path: OCI_INDEX_ENTRY, content: json(ociIndex(sorted, platform)) },
    { path: DOCKER_ARCHIVE_MANIFEST_ENTRY, content: json(dockerArchiveManifest(sorted)) },
  ];
}

function ociIndex(images: ListedImage[], platform: Platform): object {
  return {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.index.v1+json",
    manifests: images.map(({ tag, manifest }) => {
      const { qualified } = normalizeReference(tag);
      return {
        mediaType: IMAGE_MANIFEST_MEDIA_TYPE,
        digest: manifest.digest,
        size: manifest.sizeBytes,
        // The engine reads the first; skopeo the second, where the tag alone would be ambiguous.
        annotations: {
          "io.containerd.image.name": qualified,
          "org.opencontainers.image.ref.name": qualified,
        },
        platform: {
          architecture: platform.architecture,
          os: platform.os,
          ...(platform.variant !== undefined && { variant: platform.variant }),
        },
      };
    }),
  };
}

/** An image with several tags is listed once: classic stores would otherwise load it again. */
function dockerArchiveManifest(images: ListedImage[]): object {
  const items = new Map<string, { Config: string; RepoTags: string[]; Layers: string[] }>();
  for (const { tag, configDigest, layerDigests } of images) {
    const item = items.get(configDigest);
    if (item) item.RepoTags.push(tag);
    else {
      items.set(configDigest, {
        Config: blobEntry(configDigest),
        RepoTags: [tag],
        Layers: layerDigests.map(blobEntry),
      });
    }
  }
  return [...items.values()];
}

const IMAGE_MANIFEST_MEDIA_TYPE = "application/vnd.oci.image.manifest.v1+json";

/** It follows from the config and the layers, whatever these are. */
export function imageManifest(config: { digest: string; sizeBytes: number }, layers: BundledLayer[]): Buffer {
  return json({
    schemaVersion: 2,
    mediaType: IMAGE_MANIFEST_MEDIA_TYPE,
    config: {
      mediaType: "application/vnd.oci.image.config.v1+json",
      digest: config.digest,
      size: config.sizeBytes,
    },
    layers: layers.map(({ mediaType, digest, sizeBytes }) => ({ mediaType, digest, size: sizeBytes })),
  });
}

/** The engine would find this only after it has unpacked the layers, or not at all. */
function refuseForeignConfig(tag: string, config: Buffer, layers: BundledLayer[]): void {
  const expected = layers.map((layer) => layer.diffId);
  const found = diffIdsOf(config);
  if (
    found === undefined ||
    found.length !== expected.length ||
    found.some((id, index) => id !== expected[index])
  ) {
    throw new DrybagError("image-mismatch", `The config of the image ${tag} does not belong to its layers.`, {
      hint: "Pull or build the image again, then pack again.",
    });
  }
}

function diffIdsOf(config: Buffer): unknown[] | undefined {
  try {
    const parsed = JSON.parse(config.toString()) as { rootfs?: { diff_ids?: unknown } } | null;
    const diffIds = parsed?.rootfs?.diff_ids ?? [];
    return Array.isArray(diffIds) ? diffIds : undefined;
  } catch {
    return undefined;
  }
}

function layersOnce(layers: BundledLayer[]): BundledLayer[] {
  const once = new Map<string, BundledLayer>();
  for (const layer of layers) if (!once.has(layer.digest)) once.set(layer.digest, layer);
  return [...once.values()];
}

function byTag<T extends { tag: string }>(images: T[]): T[] {
  return images.toSorted((a, b) => (a.tag < b.tag ? -1 : a.tag > b.tag ? 1 : 0));
}

function json(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}
