import { type FileHandle, open } from "node:fs/promises";
import { isDrybagError } from "@drybag/errors";
import { entryItem, itemSizeBytes, selfDescribedItem } from "./archive-items.ts";
import type { Damage } from "./damage.ts";
import { explainHeader, placeOf } from "./explain-header.ts";
import type { CarryPart } from "./find-bundle.ts";
import { MANIFEST_ENTRY, SIGNATURE_ENTRY } from "./names.ts";
import type { OpenedBundle } from "./open-bundle.ts";
import { encodeHeader } from "./tar-header.ts";

/**
 * In a bundle whose size is not what it must be: the first header that is whole, and another than the manifest implies. It says more than
 * the number of bytes that are missing or too many. Undefined where there is none: the bundle is cut, or goes on after its end. Reads the
 * headers alone. Only for people; the bundle is refused in any case.
 */
export async function findDeparture(bundle: OpenedBundle, signal?: AbortSignal): Promise<Damage | undefined> {
  const { manifest, manifestBytes, signature, mtimeSeconds } = bundle;
  const { parts } = bundle.carryFolder;
  await using bytes = new BytesOfParts(parts);
  let position = itemSizeBytes(selfDescribedItem(MANIFEST_ENTRY, manifestBytes));
  if (signature) position += itemSizeBytes(selfDescribedItem(SIGNATURE_ENTRY, signature));
  try {
    for (const [index, entry] of manifest.entries.entries()) {
      signal?.throwIfAborted();
      const item = entryItem(entry);
      const expected = encodeHeader(item, mtimeSeconds);
      const found = await bytes.at(position, expected.length);
      if (found.length < expected.length) return undefined;
      if (!found.equals(expected)) {
        const damage = explainHeader(found, item, { parts: [], placeOf: placeOf(manifest.entries, index) });
        return isDrybagError(damage.error, "digest-mismatch", "bundle-truncated") ? undefined : damage;
      }
      position += itemSizeBytes(item);
    }
  } catch {
    signal?.throwIfAborted();
  }
  return undefined;
}

/** The bytes of all parts, by their place in the whole. */
class BytesOfParts implements AsyncDisposable {
  readonly #parts: CarryPart[];
  #file: { part: CarryPart; handle: FileHandle } | undefined;

  constructor(parts: CarryPart[]) {
    this.#parts = parts;
  }

  /** Fewer where they end. */
  async at(position: number, sizeBytes: number): Promise<Buffer> {
    const pieces: Buffer[] = [];
    let offset = position;
    let missing = sizeBytes;
    for (const part of this.#parts) {
      if (offset < part.sizeBytes && missing > 0) {
        const piece = Buffer.alloc(Math.min(missing, part.sizeBytes - offset));
        const { bytesRead } = await (await this.#open(part)).read(piece, 0, piece.length, offset);
        pieces.push(piece.subarray(0, bytesRead));
        missing -= piece.length;
        offset += piece.length;
      }
      offset -= part.sizeBytes;
    }
    return Buffer.concat(pieces);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file?.handle.close();
  }

  async #open(part: CarryPart): Promise<FileHandle> {
    if (this.#file?.part !== part) {
      await this.#file?.handle.close();
      this.#file = { part, handle: await open(part.path, "r") };
    }
    return this.#file.handle;
  }
}
