import { type ImageEntry, imageListingEntries, imageManifest } from "./image-entries.ts";
import type { BundledImage, BundledLayer, BundleEntry, Manifest } from "./manifest.ts";
import { BLOB_PREFIX, blobEntry } from "./names.ts";
import { sha256Hex } from "./sha256.ts";

/** What does not agree between the images of a manifest and the entries that carry them. */
export function imageEntriesProblem(manifest: Manifest): string | undefined {
  return blobProblem(manifest) ?? imageManifestProblem(manifest) ?? listingProblem(manifest);
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

/** A containerd store goes by the images' manifests: they name the config and the layers that `images` has, and nothing else. */
function imageManifestProblem({ images, layers, entries }: Manifest): string | undefined {
  const byDiffId = new Map(layers.map((layer) => [layer.diffId, layer]));
  const sizes = new Map(
    entries.map((entry) => [entry.path, entry.type === "file" ? entry.sizeBytes : 0] as const),
  );
  // Images with several tags are the same.
  const known = new Map<string, BundledImage>();
  for (const image of images) {
    const { tag, configDigest, manifestDigest, diffIds } = image;
    const same = known.get(manifestDigest);
    if (same?.configDigest === configDigest && isSame(same.diffIds, diffIds)) continue;
    const config = { digest: configDigest, sizeBytes: sizes.get(blobEntry(configDigest)) ?? 0 };
    const content = imageManifest(
      config,
      diffIds.map((diffId) => byDiffId.get(diffId) as BundledLayer),
    );
    const isRight =
      manifestDigest === `sha256:${sha256Hex(content)}` &&
      sizes.get(blobEntry(manifestDigest)) === content.length;
    if (!isRight) return `the image ${tag} has a manifest that does not follow from its config and layers`;
    known.set(manifestDigest, image);
  }
  return undefined;
}

function isSame(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((each, index) => each === others[index]);
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
  return undefined;
}

function describes(entry: BundleEntry, { content }: ImageEntry): boolean {
  return entry.type === "file" && entry.sizeBytes === content.length && entry.sha256 === sha256Hex(content);
}
