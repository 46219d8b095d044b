import type { BundledImage } from "@drybag/format";
import { expect, test } from "vitest";
import { dockerArchiveListing, ociLayoutListing } from "./archive-listing.ts";

const web: BundledImage = {
  tag: "web:1",
  configDigest: "sha256:config",
  manifestDigest: "sha256:manifest",
  diffIds: ["sha256:base", "sha256:web"],
  sizeBytes: 1,
  provenance: { repoDigests: [] },
};
const metadata = [
  { path: "blobs/sha256/config", content: Buffer.from("{}") },
  { path: "blobs/sha256/manifest", content: Buffer.from('{"schemaVersion":2}') },
];

const read = (entries: ReturnType<typeof ociLayoutListing>) =>
  entries.map(({ path, content }) => [path, JSON.parse(content.toString())]);

test("a Docker archive names its images without tags, and layers by their diffIDs", () => {
  expect(read(dockerArchiveListing([web], metadata))).toEqual([
    [
      "manifest.json",
      [
        {
          Config: "blobs/sha256/config",
          RepoTags: null,
          Layers: ["blobs/sha256/base", "blobs/sha256/web"],
        },
      ],
    ],
  ]);
});

test("an OCI layout names its images by their manifests alone", () => {
  expect(read(ociLayoutListing([web], metadata))).toEqual([
    ["oci-layout", { imageLayoutVersion: "1.0.0" }],
    [
      "index.json",
      {
        schemaVersion: 2,
        mediaType: "application/vnd.oci.image.index.v1+json",
        manifests: [
          {
            mediaType: "application/vnd.oci.image.manifest.v1+json",
            digest: "sha256:manifest",
            size: 19,
          },
        ],
      },
    ],
  ]);
});
