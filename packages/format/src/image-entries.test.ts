import { expect, test } from "vitest";
import { buildImageEntries, type ImageToBundle } from "./image-entries.ts";
import type { BundledLayer } from "./manifest.ts";
import { LAYER_MEDIA_TYPES } from "./names.ts";
import { sha256Hex } from "./sha256.ts";

const platform = { os: "linux", architecture: "arm64", variant: "v8" };
const base = layer("base");
const app = layer("app");

function layer(name: string): BundledLayer {
  return {
    diffId: `sha256:${sha256Hex(Buffer.from(`${name} uncompressed`))}`,
    digest: `sha256:${sha256Hex(Buffer.from(name))}`,
    mediaType: LAYER_MEDIA_TYPES.zstd,
    sizeBytes: 10,
    uncompressedSizeBytes: 20,
  };
}

function image(tag: string, ...layers: BundledLayer[]): ImageToBundle {
  const rootfs = { type: "layers", diff_ids: layers.map((one) => one.diffId) };
  return { tag, layers, config: Buffer.from(JSON.stringify({ os: "linux", rootfs })) };
}

function read(entries: { path: string; content: Buffer }[], path: string) {
  const entry = entries.find((one) => one.path === path);
  return JSON.parse(entry?.content.toString() ?? "null");
}

test("names images for the engine and for other tools", () => {
  const redis = image("redis:8.6-alpine", base, app);
  const { entries, images } = buildImageEntries({ images: [redis], platform });

  expect(read(entries, "oci-layout")).toEqual({ imageLayoutVersion: "1.0.0" });
  const config = `sha256:${sha256Hex(redis.config)}`;
  expect(images).toEqual([
    { tag: "redis:8.6-alpine", configDigest: config, manifestDigest: expect.stringMatching(/^sha256:/) },
  ]);
  expect(read(entries, "manifest.json")).toEqual([
    {
      Config: `blobs/sha256/${config.slice(7)}`,
      RepoTags: ["redis:8.6-alpine"],
      Layers: [`blobs/sha256/${base.digest.slice(7)}`, `blobs/sha256/${app.digest.slice(7)}`],
    },
  ]);
  const [descriptor] = read(entries, "index.json").manifests;
  expect(descriptor).toMatchObject({
    digest: images[0]?.manifestDigest,
    annotations: {
      "io.containerd.image.name": "docker.io/library/redis:8.6-alpine",
      "org.opencontainers.image.ref.name": "docker.io/library/redis:8.6-alpine",
    },
    platform,
  });
  const manifest = read(entries, `blobs/${descriptor.digest.replace(":", "/")}`);
  expect(manifest.config).toMatchObject({ digest: config, size: redis.config.length });
  expect(manifest.layers).toEqual([
    { mediaType: base.mediaType, digest: base.digest, size: 10 },
    { mediaType: app.mediaType, digest: app.digest, size: 10 },
  ]);
});

test("gives every blob once, named by its digest, in an order that does not depend on the order of the images", () => {
  const one = image("b:1", base, app, base);
  const two = image("a:1", base);
  const twin = { ...one, tag: "c:1" };
  const forth = buildImageEntries({ images: [one, two, twin], platform });
  const back = buildImageEntries({ images: [twin, two, one], platform });

  expect(forth.entries).toEqual(back.entries);
  expect(forth.layerOrder).toEqual([base, app]);
  expect(back.layerOrder).toEqual([base, app]);
  expect(forth.images.map((entry) => entry.tag)).toEqual(["b:1", "a:1", "c:1"]);

  const blobs = forth.entries.slice(3);
  expect(blobs).toHaveLength(4);
  for (const { path, content } of blobs) expect(path).toBe(`blobs/sha256/${sha256Hex(content)}`);
  expect(read(forth.entries, "manifest.json").map((item: { RepoTags: string[] }) => item.RepoTags)).toEqual([
    ["a:1"],
    ["b:1", "c:1"],
  ]);
  expect(read(forth.entries, "index.json").manifests).toHaveLength(3);
});

test("refuses a config that belongs to other layers, and a reference by digest", () => {
  const wrong = { ...image("a:1", base), layers: [app] };
  expect(() => buildImageEntries({ images: [wrong], platform })).toThrow(/does not belong/);
  const broken = { ...image("a:1", base), config: Buffer.from("{") };
  expect(() => buildImageEntries({ images: [broken], platform })).toThrow(/does not belong/);
  const byDigest = image(`a@${base.digest}`, base);
  expect(() => buildImageEntries({ images: [byDigest], platform })).toThrow(/by tag/);
});
