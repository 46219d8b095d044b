import path from "node:path/posix";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { DrybagError } from "@drybag/errors";
import { extract } from "tar-stream";
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
  body: Readable;
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
  archive: Readable,
  onLayer: (entry: SavedLayerEntry) => Promise<void>,
  onBytes: (count: number) => void,
  signal: AbortSignal,
): Promise<SavedImage[]> {
  const documents = new Map<string, Buffer>();
  const links = new Map<string, string>();
  const tar = extract();
  const copied = pipeline(archive, tar, { signal });
  copied.catch(() => undefined);
  for await (const entry of tar) {
    const { name, type, size = 0, linkname } = entry.header;
    if (type === "symlink" && linkname) links.set(name, path.join(path.dirname(name), linkname));
    if (type !== "file" || size === 0) {
      entry.resume();
      continue;
    }
    const { head, body } = await peek(entry as AsyncIterable<Buffer>, onBytes);
    const encoding = layerEncoding(head);
    if (encoding === undefined && size <= LARGEST_JSON_BYTES) documents.set(name, await readAll(body));
    else await onLayer({ name, sizeBytes: size, encoding: encoding ?? "none", body });
  }
  await copied;
  return imagesOf(documents, links);
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

/** The first bytes of a stream, and a stream of all of it. */
async function peek(
  entry: AsyncIterable<Buffer>,
  onBytes: (count: number) => void,
): Promise<{ head: Buffer; body: Readable }> {
  const chunks = entry[Symbol.asyncIterator]();
  const first: Buffer[] = [];
  let length = 0;
  while (length < HEAD_BYTES) {
    const next = await chunks.next();
    if (next.done) break;
    first.push(next.value);
    length += next.value.length;
  }
  async function* all() {
    for (const chunk of first) {
      onBytes(chunk.length);
      yield chunk;
    }
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) {
      onBytes(next.value.length);
      yield next.value;
    }
  }
  return {
    head: Buffer.concat(first).subarray(0, HEAD_BYTES),
    body: Readable.from(all(), { objectMode: false }),
  };
}

async function readAll(body: Readable): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const chunk of body) parts.push(chunk as Buffer);
  return Buffer.concat(parts);
}
