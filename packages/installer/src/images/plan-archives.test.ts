import type { ImageStore } from "@drybag/docker";
import type { BundledImage, BundledLayer } from "@drybag/format";
import { expect, test } from "vitest";
import { planArchives } from "./plan-archives.ts";

const MIB = 1024 ** 2;

/** Large enough for an archive of its own; those whose names begin with a small letter are not. */
function layer(name: string): BundledLayer {
  const uncompressedSizeBytes = (/^[A-Z]/.test(name) ? 100 : 1) * MIB;
  return { diffId: name, digest: `sha256:${name}`, mediaType: "x", sizeBytes: MIB, uncompressedSizeBytes };
}

function image(name: string, ...diffIds: string[]): BundledImage {
  const digests = { configDigest: `sha256:of-${name}`, manifestDigest: `sha256:manifest-of-${name}` };
  return { tag: `${name}:1`, ...digests, diffIds, sizeBytes: 1, provenance: { repoDigests: [] } };
}

/** Each archive as `images: layers < those it waits for`. */
function plan(
  layers: string,
  missing: BundledImage[],
  present: BundledImage[] = [],
  store: ImageStore = "classic",
): string[] {
  const manifest = { layers: layers.split(" ").map(layer) };
  return planArchives(manifest, missing, present, store).map(({ images, entries, after }) => {
    const sent = [...entries].flatMap(([path, { kind }]) =>
      kind === "metadata" ? [] : [path.replace("blobs/sha256/", "")],
    );
    const metadata = [...entries].filter(([, { kind }]) => kind === "metadata").length;
    expect(metadata).toBe(images.length * (store === "classic" ? 1 : 2));
    return `${images.map(({ tag }) => tag.replace(":1", "")).join("+")}: ${sent.join(" ")} < ${after.join(" ")}`;
  });
}

const a = image("a", "Base", "A");
const b = image("b", "Base", "B");
const c = image("c", "C");

test("each image has an archive, with the layers that none before it brings, and waits for those that it stands on", () => {
  expect(plan("Base A B C", [a, b, c])).toEqual(["a: Base A < ", "b: B < 0", "c: C < "]);
});

test("small ones travel together", () => {
  const small = [image("d", "d"), image("e", "e"), image("f", "F")];
  expect(plan("d e F C", [...small, c])).toEqual(["d+e+f: d e F < ", "c: C < "]);
  expect(plan("C d", [c, image("d", "d")])).toEqual(["c+d: C d < "]);
});

test("the same layer on another one is another one: it is sent once for both", () => {
  const upsideDown = image("z", "A", "Base");
  expect(plan("Base A C", [a, c, upsideDown])).toEqual(["a+z: Base A < ", "c: C < "]);
});

test("layers that lie among each other's are sent together", () => {
  const far = image("far", "Base", "D");
  expect(plan("Base A B C D", [image("wide", "Base", "A", "C"), b, far])).toEqual([
    "wide+b: Base A C B < ",
    "far: D < 0",
  ]);
});

test("an image without a layer of its own goes with the one that brings its layers", () => {
  expect(plan("Base A B C", [a, b, c, image("config", "Base", "B")])).toEqual([
    "a: Base A < ",
    "b+config: B < 0",
    "c: C < ",
  ]);
  expect(plan("Base A", [image("config", "Base")], [a])).toEqual(["config:  < "]);
});

test("an image that has two tags is sent once", () => {
  expect(plan("Base A", [a, { ...a, tag: "other:1" }])).toEqual(["other: Base A < "]);
});

test("what present images have is not sent, unless it stands on something else there", () => {
  expect(plan("Base A B", [a], [b])).toEqual(["a: A < "]);
  expect(plan("Base A", [a], [image("z", "A", "Base")])).toEqual(["a: Base A < "]);
});

test("a containerd store has the same archives, but for blobs that present images have: it could have dropped them", () => {
  expect(plan("Base A B C", [a, b, c], [], "containerd")).toEqual(["a: Base A < ", "b: B < 0", "c: C < "]);
  expect(plan("Base A B", [a], [b], "containerd")).toEqual(["a: Base A < "]);
});

test("whatever the order of images and layers, none waits for one behind it", () => {
  const images = [
    image("x", "Base", "X"),
    image("y", "Base", "X", "Y"),
    image("z", "Z"),
    image("v", "V", "Z"),
  ];
  for (const order of permutations(images)) {
    for (const layers of ["Base X Y Z V", "V Z Y X Base", "Y Base V X Z", "Z X V Base Y"]) {
      const archives = planArchives({ layers: layers.split(" ").map(layer) }, order, [], "classic");
      for (const [index, { after }] of archives.entries())
        for (const earlier of after) expect(earlier).toBeLessThan(index);
      const sent = archives.flatMap(({ entries }) => [...entries.keys()]);
      expect(new Set(sent).size).toBe(sent.length);
      expect(sent).toHaveLength(5 + 4);
    }
  }
});

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length < 2) return [[...items]];
  return items.flatMap((item, at) => permutations(items.toSpliced(at, 1)).map((rest) => [item, ...rest]));
}
