import { type BundledImage, blobEntry } from "@drybag/format";

/**
 * index.json (OCI image index) with the entries of some images only. An image with several tags has one entry for each, all with
 * the same digest: the name tells them apart.
 */
export function selectFromIndex(content: Buffer, images: readonly BundledImage[]): Buffer {
  const index = JSON.parse(content.toString()) as { manifests: { digest: string }[] };
  const digests = new Set(images.map(({ manifestDigest }) => manifestDigest));
  const manifests = index.manifests.filter(({ digest }) => digests.has(digest));
  return Buffer.from(JSON.stringify({ ...index, manifests }));
}

interface ArchiveItem {
  Config: string;
  Layers: string[];
}

/** manifest.json (Docker image archive), the same way. `layerPath` gives layers another name, by their diffIDs. */
export function selectFromArchiveManifest(
  content: Buffer,
  images: readonly BundledImage[],
  layerPath?: (diffId: string) => string,
): Buffer {
  const items = JSON.parse(content.toString()) as ArchiveItem[];
  const byConfig = new Map(images.map((image) => [blobEntry(image.configDigest), image]));
  const selected = items.flatMap((item) => {
    const image = byConfig.get(item.Config);
    if (!image) return [];
    return [layerPath ? { ...item, Layers: image.diffIds.map(layerPath) } : item];
  });
  return Buffer.from(JSON.stringify(selected));
}
