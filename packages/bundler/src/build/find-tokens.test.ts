import { Readable } from "node:stream";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { pack } from "tar-stream";
import { expect, test } from "vitest";
import { searchArchive } from "./find-tokens.ts";

const TOKEN = "s3cr3t-t0ken-of-the-test";

async function tarOf(files: Record<string, string | Buffer>): Promise<Buffer> {
  const archive = pack();
  for (const [name, content] of Object.entries(files)) archive.entry({ name }, content);
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

const search = async (files: Record<string, Buffer>, chunkBytes = 1000) => {
  const archive = await tarOf(files);
  const chunks = Array.from({ length: Math.ceil(archive.length / chunkBytes) }, (_, index) =>
    archive.subarray(index * chunkBytes, (index + 1) * chunkBytes),
  );
  return searchArchive(Readable.from(chunks), [Buffer.from(TOKEN)], new AbortController().signal);
};

const leaky = { "etc/clean": "nothing\n", "home/.git/config": `${"x".repeat(990)}url = https://${TOKEN}@x` };

test.each([
  ["plain", (layer: Buffer) => layer],
  ["gzip", gzipSync],
  ["zstd", zstdCompressSync],
] as const)("a token in a file of a layer: %s", async (_, compress) => {
  const layer = compress(await tarOf(leaky));
  const clean = compress(await tarOf({ a: "b" }));
  expect(await search({ "blobs/sha256/a": clean, "blobs/sha256/b": layer })).toEqual([
    { place: "the file home/.git/config" },
  ]);
});

test.each([7, 64, 511, 1024])("wherever chunks of %d bytes end", async (chunkBytes) => {
  expect(await search({ "l/layer.tar": await tarOf(leaky) }, chunkBytes)).toHaveLength(1);
});

test("nothing where there is nothing", async () => {
  expect(await search({ "manifest.json": Buffer.from("[]"), l: await tarOf({ a: "b" }) })).toEqual([]);
});
