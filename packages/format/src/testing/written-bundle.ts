import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { archiveSizeBytes, entryItem, selfDescribedItem } from "../archive-items.ts";
import { writeChecksums } from "../checksums.ts";
import type { BundleEntry } from "../manifest.ts";
import { CHECKSUMS_FILE, CHECKSUMS_SIGNATURE_FILE, partNames } from "../names.ts";
import type { OpenedBundle } from "../open-bundle.ts";
import { serializeManifest } from "../parse-manifest.ts";
import { type ReadBundleOptions, readBundle } from "../read-bundle.ts";
import { sha256Hex } from "../sha256.ts";
import { headerSizeBytes, paddingBytes, type TarItem } from "../tar-header.ts";
import { writeBundle } from "../write-bundle.ts";
import type { TestSigner } from "./ssh-signer.ts";
import { type TinyBundle, tinyBundle } from "./tiny-bundle.ts";

export const STEM = "tiny-1.0";

/** The bytes of a bundle as one tar. */
export async function archiveBytes(
  directory: string,
  bundle = tinyBundle(),
  signature?: Buffer,
): Promise<Buffer> {
  const stem = "archive-bytes";
  const { parts } = await writeBundle({ directory, stem, ...bundle, ...(signature && { signature }) });
  const path = join(directory, parts[0]?.name ?? "");
  const bytes = await readFile(path);
  await rm(path);
  return bytes;
}

/** Puts bytes into a folder as a bundle in parts of this size, with SHA256SUMS that fits them if wanted. */
export async function placeArchive(
  directory: string,
  bytes: Buffer,
  options: { partSizeBytes?: number; checksums?: boolean; signer?: TestSigner | undefined } = {},
): Promise<string[]> {
  for (const name of await readdir(directory)) await rm(join(directory, name));
  const { partSizeBytes = Math.max(bytes.length, 1), checksums = true } = options;
  const names = partNames(`${STEM}.tar`, Math.max(1, Math.ceil(bytes.length / partSizeBytes)));
  const files = names.map((name, index) => ({
    name,
    content: bytes.subarray(index * partSizeBytes, (index + 1) * partSizeBytes),
  }));
  for (const { name, content } of files) await writeFile(join(directory, name), content);
  if (checksums)
    await writeChecksums(
      directory,
      files.map(({ name, content }) => ({ name, sha256: sha256Hex(content) })),
    );
  if (checksums && options.signer) {
    const sums = await readFile(join(directory, CHECKSUMS_FILE));
    await writeFile(join(directory, CHECKSUMS_SIGNATURE_FILE), options.signer.sign(sums));
  }
  return names;
}

export interface Place {
  path: string;
  headerStart: number;
  bodyStart: number;
  bodyEnd: number;
  end: number;
}

/** Where each entry of a bundle lies in its tar, the manifest first. */
export function layoutOf({ manifest }: TinyBundle): Place[] {
  const bytes = serializeManifest(manifest);
  const items: TarItem[] = [selfDescribedItem("drybag.json", bytes), ...manifest.entries.map(entryItem)];
  let offset = 0;
  const places = items.map((item) => {
    const bodyStart = offset + headerSizeBytes(item);
    const bodyEnd = bodyStart + item.sizeBytes;
    const place = {
      path: item.path,
      headerStart: offset,
      bodyStart,
      bodyEnd,
      end: bodyEnd + paddingBytes(item.sizeBytes),
    };
    offset = place.end;
    return place;
  });
  if (offset + 1024 !== archiveSizeBytes(bytes, undefined, manifest.entries))
    throw new Error("the layout is wrong");
  return places;
}

export interface ReadResult {
  /** Bytes of each entry that came out, in order. */
  released: { entry: BundleEntry; bytes: Buffer }[];
  error?: unknown;
}

/** Reads a bundle as an engine would: takes whatever comes. */
export async function readAll(bundle: OpenedBundle, options: ReadBundleOptions = {}): Promise<ReadResult> {
  const released: ReadResult["released"] = [];
  try {
    for await (const { entry, body } of readBundle(bundle, options)) {
      const current = { entry, bytes: Buffer.alloc(0) };
      released.push(current);
      for await (const chunk of body) current.bytes = Buffer.concat([current.bytes, chunk]);
    }
    return { released };
  } catch (error) {
    return { released, error };
  }
}
