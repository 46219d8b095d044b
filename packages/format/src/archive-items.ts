import type { BundleEntry, Manifest } from "./manifest.ts";
import { MANIFEST_ENTRY, SIGNATURE_ENTRY } from "./names.ts";
import { serializeManifest } from "./parse-manifest.ts";
import { sha256Hex } from "./sha256.ts";
import { END_OF_ARCHIVE_BYTES, headerSizeBytes, paddingBytes, type TarItem } from "./tar-header.ts";

/**
 * The manifest or its signature: the two entries that the manifest cannot list. Each carries its own sha256 in its header, so
 * that damage to it is found before anything is made of it.
 */
export function selfDescribedItem(
  path: typeof MANIFEST_ENTRY | typeof SIGNATURE_ENTRY,
  content: Uint8Array,
): TarItem {
  return {
    path,
    type: "file",
    sizeBytes: content.length,
    mode: 0o644,
    comment: `sha256:${sha256Hex(content)}`,
  };
}

export function entryItem(entry: BundleEntry): TarItem {
  const sizeBytes = entry.type === "file" ? entry.sizeBytes : 0;
  return { path: entry.path, type: entry.type, sizeBytes, mode: entry.mode };
}

export function itemSizeBytes(item: TarItem): number {
  return headerSizeBytes(item) + item.sizeBytes + paddingBytes(item.sizeBytes);
}

/** Size of the whole tar, to the byte, without writing it. */
export function bundleSizeBytes(manifest: Manifest, signature?: Uint8Array): number {
  return archiveSizeBytes(serializeManifest(manifest), signature, manifest.entries);
}

export function archiveSizeBytes(
  manifestBytes: Uint8Array,
  signature: Uint8Array | undefined,
  entries: BundleEntry[],
): number {
  let sizeBytes = itemSizeBytes(selfDescribedItem(MANIFEST_ENTRY, manifestBytes));
  if (signature !== undefined) sizeBytes += itemSizeBytes(selfDescribedItem(SIGNATURE_ENTRY, signature));
  for (const entry of entries) sizeBytes += itemSizeBytes(entryItem(entry));
  return sizeBytes + END_OF_ARCHIVE_BYTES;
}
