import type { ImageFacts } from "@drybag/docker";
import type { BundledImage } from "@drybag/format";
import { expect, test } from "vitest";
import { imageProblem } from "./image-state.ts";

const image: BundledImage = {
  tag: "web:1",
  configDigest: "sha256:config",
  manifestDigest: "sha256:manifest",
  diffIds: ["sha256:a", "sha256:b"],
  sizeBytes: 1,
  provenance: { repoDigests: [] },
};
const found = { id: "sha256:config", diffIds: ["sha256:a", "sha256:b"] } as ImageFacts;

test("each store has its own ID for the same image", () => {
  expect(imageProblem(image, found, "classic")).toBeUndefined();
  expect(imageProblem(image, { ...found, id: "sha256:manifest" }, "containerd")).toBeUndefined();
  expect(imageProblem(image, found, "containerd")).toMatch(/has the ID sha256:config/);
});

test.each([
  ["is not there", undefined],
  ["has no content", { ...found, diffIds: [] }],
  ["has other layers", { ...found, diffIds: ["sha256:a"] }],
  ["has other layers", { ...found, diffIds: ["sha256:a", "sha256:b", "sha256:c"] }],
  ["has other layers", { ...found, diffIds: ["sha256:b", "sha256:a"] }],
])("an image that %s is told", (problem, facts) => {
  expect(imageProblem(image, facts, "classic")).toBe(problem);
});
