import path from "node:path/posix";
import { DrybagError } from "@drybag/errors";
import { readTar } from "./saved-tar.ts";
import type { LayerEncoding } from "./stage-layer.ts";

/** One image of an archive that `docker save` made. */
export interface SavedImage {
  tags: string[];
  config: Buffer;
  /** Names of its layers in the archive, base first. */
  layerEntries: string[];
}

export interface SavedLayerEntry {
  name: string;
  sizeBytes: number;
  encoding: LayerEncoding;
  /** In pieces that are good until the next one is asked for. */
  body: AsyncGenerator<Buffer, void>;
}

/** A JSON document above this is no config or manifest. */
const LARGEST_JSON_BYTES = 8 * 1024 * 1024;
/** Enough to see what an entry is: tar's magic stands at 257. */
const HEAD_BYTES = 512;

/**
 * Reads an archive of `docker save` in one pass, in its form since Docker 25 (`blobs/sha256/…`) or before (`<id>/layer.tar`, repeated
 * layers as links). Layers are given to `onLayer` as they come; what belongs to which image is known at the end.
 * Throws `docker-failed` when the archive is not whole.
 */
export async function readSavedArchive(
  archive: AsyncIterable<Uint8Array>,
  onLayer: (entry: SavedLayerEntry) => Promise<void>,
  onBytes: (count: number) => void,
): Promise<SavedImage[]> {
  const documents = new Map<string, Buffer>();
  const links = new Map<string, string>();
  for await (const { name, type, linkName, sizeBytes, body } of readTar(archive)) {
    if (type === "2") links.set(name, path.join(path.dirname(name), linkName));
    if (type !== "0" || sizeBytes === 0) continue;
    const { head, all } = await peek(counted(body, onBytes));
    const encoding = layerEncoding(head);
    if (encoding === undefined && sizeBytes <= LARGEST_JSON_BYTES) documents.set(name, await readAll(all));
    else await onLayer({ name, sizeBytes, encoding: encoding ?? "none", body: all });
  }
  return imagesOf(documents, links);
}

async function* counted(
  pieces: AsyncIterable<Buffer>,
  onBytes: (count: number) => void,
): AsyncGenerator<Buffer, void> {
  for await (const piece of pieces) {
    onBytes(piece.length);
    yield piece;
  }
}

interface DockerArchiveManifest {
  Config: string;
  RepoTags: string[] | null;
  Layers: string[] | null;
}

function imagesOf(documents: Map<string, Buffer>, links: Map<string, string>): SavedImage[] {
  const index = documents.get("manifest.json");
  if (index === undefined) throw brokenArchive("manifest.json");
  return (JSON.parse(index.toString()) as DockerArchiveManifest[]).map((image) => {
    const config = documents.get(image.Config);
    if (config === undefined) throw brokenArchive(image.Config);
    const layers = image.Layers ?? [];
    return {
      tags: image.RepoTags ?? [],
      config,
      layerEntries: layers.map((name) => links.get(name) ?? name),
    };
  });
}

function brokenArchive(missing: string): DrybagError {
  return new DrybagError("docker-failed", `The engine's archive lacks ${missing}.`, {
    hint: "Look at the engine's log and free disk space, then pack again.",
  });
}

/** What a layer is packed with; undefined for what is no layer. A layer without files is a tar of zeros only. */
export function layerEncoding(head: Buffer): LayerEncoding | undefined {
  if (head.length >= 4 && head.readUInt32LE(0) === 0xfd2fb528) return "zstd";
  if (head.length >= 2 && head[0] === 0x1f && head[1] === 0x8b) return "gzip";
  if (head.length >= 262 && head.toString("latin1", 257, 262) === "ustar") return "none";
  if (head.length >= HEAD_BYTES && head.every((byte) => byte === 0)) return "none";
  return undefined;
}

/** The first bytes of a body, and all of it. */
async function peek(
  pieces: AsyncGenerator<Buffer, void>,
): Promise<{ head: Buffer; all: AsyncGenerator<Buffer, void> }> {
  let first: Buffer = Buffer.alloc(0);
  while (first.length < HEAD_BYTES) {
    const next = await pieces.next();
    if (next.done) break;
    // A copy: the next piece comes in the same memory.
    first = Buffer.concat([first, next.value]);
  }
  async function* all(): AsyncGenerator<Buffer, void> {
    yield first;
    yield* pieces;
  }
  return { head: first.subarray(0, HEAD_BYTES), all: all() };
}

async function readAll(body: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const piece of body) parts.push(Buffer.from(piece));
  return Buffer.concat(parts);
}
