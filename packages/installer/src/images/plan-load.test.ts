import type { BundledImage, BundledLayer, Manifest } from "@drybag/format";
import { expect, test } from "vitest";
import { engineBytesNeeded } from "../preflight/preflight-disk.ts";
import { type ImageState, stateOfNone } from "./image-state.ts";
import { planLoad } from "./plan-load.ts";

const MIB = 1024 ** 2;

function layer(name: string): BundledLayer {
  const size = { sizeBytes: 10 * MIB, uncompressedSizeBytes: 30 * MIB };
  return { diffId: `sha256:diff-${name}`, digest: `sha256:${name}`, mediaType: "x", ...size };
}

function image(name: string, layers: string[]): BundledImage {
  return {
    tag: `${name}:1`,
    configDigest: `sha256:config-${name}`,
    manifestDigest: `sha256:manifest-${name}`,
    diffIds: layers.map((each) => `sha256:diff-${each}`),
    sizeBytes: layers.length * 30 * MIB,
    provenance: { repoDigests: [] },
  };
}

const web = image("web", ["base", "web"]);
const db = image("db", ["base", "db"]);
const manifest = {
  images: [web, db],
  layers: ["base", "web", "db"].map(layer),
  entries: ["base", "web", "db"].map((name) => ({
    type: "file",
    path: `blobs/sha256/${name}`,
    sizeBytes: 10 * MIB,
  })),
} as unknown as Manifest;

/** The engine has `present`, and no other image. */
function states(...present: BundledImage[]): ImageState[] {
  return [web, db].map((image) =>
    present.includes(image)
      ? { image, found: undefined, problem: undefined, isThere: true }
      : stateOfNone(image),
  );
}

test("a containerd store gets all blobs of images that are missing, and none of the others'", () => {
  const plan = planLoad(manifest, states(db), "containerd");
  expect(plan.archives.map(({ entries }) => [...entries.keys()].sort())).toEqual([
    ["blobs/sha256/base", "blobs/sha256/config-web", "blobs/sha256/manifest-web", "blobs/sha256/web"],
  ]);
  expect(plan).toMatchObject({ images: [web], storedBytes: 20 * MIB, unpackedBytes: 60 * MIB });
});

test("a layer that two images share is counted once", () => {
  for (const store of ["containerd", "classic"] as const)
    expect(planLoad(manifest, states(), store)).toMatchObject({
      storedBytes: 30 * MIB,
      unpackedBytes: 90 * MIB,
    });
});

test("a classic store gets layers decompressed, without those that it has on the same ones", () => {
  const plan = planLoad(manifest, states(db), "classic");
  expect(
    plan.archives.map(({ entries }) => [...entries].map(([path, { kind }]) => `${path} ${kind}`)),
  ).toEqual([["blobs/sha256/config-web metadata", "blobs/sha256/web decompress"]]);
  expect(plan).toMatchObject({ storedBytes: 10 * MIB, archiveBytes: 30 * MIB, unpackedBytes: 30 * MIB });
});

test("an image that is there without its tag is not sent, but tagged", () => {
  const untagged = { ...stateOfNone(web), isThere: true };
  for (const store of ["containerd", "classic"] as const) {
    const plan = planLoad(manifest, [untagged, ...states(db).slice(1)], store);
    expect(plan).toMatchObject({ images: [], archives: [], toTag: [web], storedBytes: 0 });
  }
});

test("nothing is sent, and no room is needed, where everything is there", () => {
  const plan = planLoad(manifest, states(web, db), "containerd");
  expect(plan).toMatchObject({ archives: [], toTag: [] });
  expect(engineBytesNeeded(plan)).toBe(0);
});

test("a containerd store keeps all archives, a classic one those that it has at the same time", () => {
  const names = ["a", "b", "c", "d"];
  const layers = names.map((name) => ({ ...layer(name), uncompressedSizeBytes: 100 * MIB }));
  const alone = names.map((name) => stateOfNone(image(name, [name])));
  const many = { ...manifest, layers } as Manifest;
  expect(planLoad(many, alone, "containerd").archiveBytes).toBe(40 * MIB);
  expect(planLoad(many, alone, "classic").archiveBytes).toBe(300 * MIB);
});

test("the engine needs room for the archive and for what it becomes, and some more", () => {
  const needed = engineBytesNeeded(planLoad(manifest, states(), "containerd"));
  expect(needed).toBeGreaterThan(120 * MIB);
  expect(needed).toBeLessThan(220 * MIB);
});
