import { createHash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import {
  type BundledLayer,
  type BundleFileEntry,
  blobEntry,
  buildImageEntries,
  type Manifest,
  type OpenedBundle,
  openBundle,
  readBundle,
  writeBundle,
  writeChecksums,
} from "@drybag/format";

/**
 * Writes a bundle of one image like the one at `source`, but with another blob for its first layer. All of it is as it must be, except that
 * the manifest goes on saying of that layer what it becomes.
 */
export async function forgeLayer(
  source: string,
  target: string,
  forge: (packed: Buffer) => { blob: Buffer; mediaType: string },
): Promise<void> {
  const bundle = await openBundle(source);
  const contents = await readContents(bundle);
  const { manifest } = bundle;
  const [image, ...others] = manifest.images;
  const [first, ...rest] = manifest.layers;
  if (image === undefined || others.length > 0 || first === undefined)
    throw new Error("a bundle of one image is needed");

  const { blob, mediaType } = forge(contentAt(contents, blobEntry(first.digest)));
  const forged = { ...first, mediaType, digest: `sha256:${sha256Hex(blob)}`, sizeBytes: blob.length };
  const layers = [forged, ...rest];
  const config = contentAt(contents, blobEntry(image.configDigest));
  const layerOf = (diffId: string) => layers.find((layer) => layer.diffId === diffId) as BundledLayer;
  const built = buildImageEntries({
    images: [{ tag: image.tag, config, layers: image.diffIds.map(layerOf) }],
    platform: manifest.platform,
  });
  contents.set(blobEntry(forged.digest), blob);
  for (const { path, content } of built.entries) contents.set(path, content);
  const written: Manifest = {
    ...manifest,
    images: [{ ...image, ...built.images[0] }],
    layers: built.layerOrder,
    entries: [
      ...manifest.entries.slice(
        0,
        manifest.entries.findIndex(({ path }) => path === "oci-layout"),
      ),
      ...built.entries.map(({ path }) => fileEntry(contents, path)),
      ...built.layerOrder.map(({ digest }) => fileEntry(contents, blobEntry(digest))),
    ],
  };
  await write(target, written, contents);
}

/** Writes a bundle like the one at `source`, but with another content in one of its files. */
export async function forgeFile(
  source: string,
  target: string,
  path: string,
  content: string,
): Promise<void> {
  const bundle = await openBundle(source);
  const contents = await readContents(bundle);
  contents.set(path, Buffer.from(content));
  const entries = bundle.manifest.entries.map((entry) =>
    entry.path === path ? fileEntry(contents, path) : entry,
  );
  await write(target, { ...bundle.manifest, entries }, contents);
}

async function write(target: string, manifest: Manifest, contents: Map<string, Buffer>): Promise<void> {
  await mkdir(target);
  const stem = `${manifest.name}-${manifest.version}`;
  const open = ({ path }: BundleFileEntry) => Readable.from([contentAt(contents, path)]);
  const { parts } = await writeBundle({ directory: target, stem, manifest, open });
  await writeChecksums(target, parts);
}

function fileEntry(contents: Map<string, Buffer>, path: string): BundleFileEntry {
  const content = contentAt(contents, path);
  return { type: "file", path, sizeBytes: content.length, sha256: sha256Hex(content), mode: 0o644 };
}

async function readContents(bundle: OpenedBundle): Promise<Map<string, Buffer>> {
  const contents = new Map<string, Buffer>();
  for await (const { entry, body } of readBundle(bundle)) contents.set(entry.path, await buffer(body));
  return contents;
}

function contentAt(contents: Map<string, Buffer>, path: string): Buffer {
  const content = contents.get(path);
  if (content === undefined) throw new Error(`the bundle has no ${path}`);
  return content;
}

function sha256Hex(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}
