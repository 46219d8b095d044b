import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Readable } from "node:stream";
import { gzipSync, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { type Pack, pack } from "tar-stream";
import { afterEach, beforeEach, expect, test } from "vitest";
import { MemoryBudget } from "./compression.ts";
import { PieceMemory } from "./even-pieces.ts";
import { blobPath, findLayer, type LayerCache, openLayerCache, verifyBlob } from "./layer-cache.ts";
import { layerEncoding, readSavedArchive } from "./read-saved-archive.ts";
import { stageLayer } from "./stage-layer.ts";

const never = new AbortController().signal;
let directory: string;
let cache: LayerCache;

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "drybag-stage-"));
  cache = await openLayerCache(directory);
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const sha256 = (content: Buffer) => createHash("sha256").update(content).digest("hex");

async function tarOf(fill: (tar: Pack) => void): Promise<Buffer> {
  const tar = pack();
  fill(tar);
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** A layer with content that neither compresses to nothing nor fits into one chunk. */
const layer = await tarOf((tar) => tar.entry({ name: "data" }, randomBytes(300_000).toString("hex")));
const config = Buffer.from(JSON.stringify({ rootfs: { diff_ids: [`sha256:${sha256(layer)}`] } }));

/** As Docker 25 and later save: blobs by digest. */
function blobArchive(stored: Buffer): Promise<Buffer> {
  const manifest = [
    {
      Config: `blobs/sha256/${sha256(config)}`,
      RepoTags: ["a:1"],
      Layers: [`blobs/sha256/${sha256(stored)}`],
    },
  ];
  return tarOf((tar) => {
    tar.entry({ name: "blobs/", type: "directory" });
    tar.entry({ name: `blobs/sha256/${sha256(stored)}` }, stored);
    tar.entry({ name: `blobs/sha256/${sha256(config)}` }, config);
    tar.entry({ name: "manifest.json" }, JSON.stringify(manifest));
  });
}

async function stageArchive(archive: Buffer, recompress = false) {
  const layers: Awaited<ReturnType<typeof stageLayer>>[] = [];
  let bytes = 0;
  const images = await readSavedArchive(
    Readable.from([archive.subarray(0, 700), archive.subarray(700)]),
    async (entry) => {
      layers.push(
        await stageLayer(cache, entry, {
          level: "default",
          recompress,
          budget: new MemoryBudget(),
          memory: new PieceMemory(),
          signal: never,
        }),
      );
    },
    (count) => {
      bytes += count;
    },
  );
  return { images, layers, bytes };
}

test("a plain layer is compressed and kept under its diffID", async () => {
  const { images, layers, bytes } = await stageArchive(await blobArchive(layer));
  expect(images).toEqual([{ tags: ["a:1"], config, layerEntries: [`blobs/sha256/${sha256(layer)}`] }]);
  const staged = await findLayer(cache, `sha256:${sha256(layer)}`, "default");
  expect(staged).toEqual(layers[0]);
  expect(staged?.uncompressedSizeBytes).toBe(layer.length);
  expect(staged?.sizeBytes).toBeLessThan(layer.length);
  expect(bytes).toBeGreaterThan(layer.length);
  const blob = await readFile(blobPath(cache, staged?.digest ?? ""));
  expect(`sha256:${sha256(blob)}`).toBe(staged?.digest);
  expect(zstdDecompressSync(blob).equals(layer)).toBe(true);
});

test("a layer that arrives compressed keeps its digest", async () => {
  const stored = gzipSync(layer);
  const { layers } = await stageArchive(await blobArchive(stored));
  expect(layers[0]).toEqual({
    diffId: `sha256:${sha256(layer)}`,
    digest: `sha256:${sha256(stored)}`,
    mediaType: "application/vnd.oci.image.layer.v1.tar+gzip",
    sizeBytes: stored.length,
    uncompressedSizeBytes: layer.length,
  });
});

test("however the bytes of a layer come, it is compressed to the same", async () => {
  const content = Buffer.concat(
    Array.from({ length: 40 }, (_, at) => [randomBytes(20_000), layer.subarray(at * 999)]).flat(),
  );
  const digests = new Set<string>();
  for (const step of [999, 4096, 65_536, 70_001, content.length]) {
    const pieces = Array.from({ length: Math.ceil(content.length / step) }, (_, at) =>
      content.subarray(at * step, (at + 1) * step),
    );
    const entry = {
      body: Readable.from(pieces, { objectMode: false }),
      encoding: "none",
      sizeBytes: content.length,
    } as const;
    const options = {
      level: "default",
      recompress: false,
      budget: new MemoryBudget(),
      memory: new PieceMemory(),
      signal: never,
    } as const;
    digests.add((await stageLayer(cache, entry, options)).digest);
  }
  expect(digests.size).toBe(1);
});

test("a layer of several zstd frames is taken whole", async () => {
  const stored = Buffer.concat([
    zstdCompressSync(layer.subarray(0, 1000)),
    zstdCompressSync(layer.subarray(1000)),
  ]);
  const { layers } = await stageArchive(await blobArchive(stored));
  expect(layers[0]).toMatchObject({ diffId: `sha256:${sha256(layer)}`, digest: `sha256:${sha256(stored)}` });
});

test.each([
  ["gzip", gzipSync(layer)],
  ["zstd", zstdCompressSync(layer)],
])("a layer that arrives as %s is compressed anew when asked", async (_name, stored) => {
  const { layers } = await stageArchive(await blobArchive(stored), true);
  expect(layers[0]).toMatchObject({
    diffId: `sha256:${sha256(layer)}`,
    mediaType: "application/vnd.oci.image.layer.v1.tar+zstd",
    uncompressedSizeBytes: layer.length,
  });
  expect(layers[0]?.digest).not.toBe(`sha256:${sha256(stored)}`);
});

test("archives of Docker before 25 name layers by folder and repeat them as links", async () => {
  const manifest = [
    { Config: "c.json", RepoTags: ["a:1"], Layers: ["one/layer.tar"] },
    { Config: "c.json", RepoTags: ["b:1"], Layers: ["two/layer.tar"] },
  ];
  const archive = await tarOf((tar) => {
    tar.entry({ name: "one/VERSION" }, "1.0");
    tar.entry({ name: "one/layer.tar" }, layer);
    tar.entry({ name: "two/layer.tar", type: "symlink", linkname: "../one/layer.tar" });
    tar.entry({ name: "c.json" }, config);
    tar.entry({ name: "manifest.json" }, JSON.stringify(manifest));
  });
  const { images, layers } = await stageArchive(archive);
  expect(layers).toHaveLength(1);
  expect(images.map((image) => image.layerEntries)).toEqual([["one/layer.tar"], ["one/layer.tar"]]);
});

test("an archive without its index is refused", async () => {
  const archive = await tarOf((tar) => tar.entry({ name: "blobs/x" }, layer));
  await expect(stageArchive(archive)).rejects.toMatchObject({ code: "docker-failed" });
});

test("an archive that is cut inside a layer leaves nothing in the cache", async () => {
  const archive = await blobArchive(layer);
  await expect(stageArchive(archive.subarray(0, 100_000))).rejects.toThrow();
  expect(await readdir(path.join(directory, "partial"))).toEqual([]);
  expect(await readdir(path.join(directory, "blobs"))).toEqual([]);
  expect(await readdir(path.join(directory, "layers"))).toEqual([]);
});

test("a layer that cannot be taken fails at once, whatever the engine waits for", async () => {
  const archive = await blobArchive(layer);
  async function* stalled(): AsyncGenerator<Buffer, void> {
    yield archive.subarray(0, archive.length >> 1);
    await new Promise<void>(() => undefined);
  }
  const full = new Error("no space left on device");
  const reading = readSavedArchive(
    stalled(),
    async ({ body }) => {
      await body.next();
      void body.next();
      throw full;
    },
    () => undefined,
  );
  await expect(reading).rejects.toBe(full);
});

test("a rotten blob is found, and one of another length is not used", async () => {
  const { layers } = await stageArchive(await blobArchive(layer));
  const { digest = "", diffId = "" } = layers[0] ?? {};
  const file = blobPath(cache, digest);
  const content = await readFile(file);
  expect(await verifyBlob(cache, digest, never)).toBe(true);
  content[content.length >> 1] = (content[content.length >> 1] ?? 0) ^ 1;
  await writeFile(file, content);
  expect(await verifyBlob(cache, digest, never)).toBe(false);
  expect(await findLayer(cache, diffId, "default")).toBeDefined();
  await writeFile(file, content.subarray(1));
  expect(await findLayer(cache, diffId, "default")).toBeUndefined();
});

test("a layer that was compressed in another way, or by another zstd, is not used", async () => {
  const { layers } = await stageArchive(await blobArchive(layer));
  const { diffId = "" } = layers[0] ?? {};
  expect(await findLayer(cache, diffId, "default")).toBeDefined();
  expect(await findLayer(cache, diffId, "max")).toBeUndefined();
  const [record = ""] = await readdir(path.join(directory, "layers"));
  expect(record).toContain(`zstd${process.versions.zstd}`);
  await rename(
    path.join(directory, "layers", record),
    path.join(directory, "layers", record.replace(/zstd.*/, "zstd0.0.json")),
  );
  expect(await findLayer(cache, diffId, "default")).toBeUndefined();
});

test("opening the cache drops what a killed pack left, and nothing of a living one", async () => {
  const partial = path.join(directory, "partial");
  await writeFile(path.join(partial, "99999999-dead"), "");
  await writeFile(path.join(partial, `${process.pid}-alive`), "");
  await openLayerCache(directory);
  expect(await readdir(partial)).toEqual([`${process.pid}-alive`]);
});

test("layers are told by their content", () => {
  expect(layerEncoding(layer.subarray(0, 512))).toBe("none");
  expect(layerEncoding(Buffer.alloc(512))).toBe("none");
  expect(layerEncoding(gzipSync("x"))).toBe("gzip");
  expect(layerEncoding(Buffer.from("28b52ffd00", "hex"))).toBe("zstd");
  expect(layerEncoding(Buffer.from('{"a":1}'))).toBeUndefined();
});
