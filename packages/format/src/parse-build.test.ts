import { expect, test } from "vitest";
import type { Manifest } from "./manifest.ts";
import type { BuildProvenance } from "./manifest-build.ts";
import { parseManifest, serializeManifest } from "./parse-manifest.ts";
import { refusal } from "./testing/refusal.ts";
import { tinyBuild } from "./testing/tiny-build.ts";
import { tinyBundle } from "./testing/tiny-bundle.ts";

function withBuild(build: BuildProvenance): Manifest {
  const { manifest } = tinyBundle();
  const images = manifest.images.map((image) => ({ ...image, provenance: { ...image.provenance, build } }));
  return { ...manifest, images };
}

test("what an image was built from is read as it was written, arguments sorted", () => {
  const written = serializeManifest(withBuild({ ...tinyBuild(), args: { B: "2", A: "1" } }));
  const build = parseManifest(written).images[0]?.provenance.build;
  expect(build).toEqual({ ...tinyBuild(), args: { A: "1", B: "2" } });
  expect(Object.keys(build?.args ?? {})).toEqual(["A", "B"]);
});

test.each([
  [{ commit: "abc" }, /build\.commit must be a commit/],
  [{ args: { "A B": "1" } }, /build\.args has a key that must be the name of a variable/],
  [
    { apps: [{ name: "a", repo: "r", ref: "v1", commit: "v1" }] },
    /build\.apps\[0\]\.commit must be a commit/,
  ],
  [{ baseImages: [{ reference: "a", digest: "sha256:1" }] }, /baseImages\[0\]\.digest must be sha256/],
])("%j is refused", async (wrong, message) => {
  expect(await refusal(() => serializeManifest(withBuild({ ...tinyBuild(), ...wrong })))).toMatch(message);
});
