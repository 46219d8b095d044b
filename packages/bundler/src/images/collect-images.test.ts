import { expect, test } from "vitest";
import { carriedTag, collectImages } from "./collect-images.ts";

test("each image once, with its services, also built and mounted ones", () => {
  const images = collectImages({
    name: "shop",
    services: {
      web: {
        image: "nginx:1.27",
        volumes: [
          { type: "image", source: "assets:2", target: "/srv" },
          { type: "volume", source: "data", target: "/data" },
        ],
      },
      api: { build: { context: "." } },
      worker: { image: "nginx:1.27" },
      model: { provider: { type: "model" } },
    },
  });
  expect(images).toEqual([
    { reference: "assets:2", tag: "assets:2", isBuilt: false, services: ["web"] },
    { reference: "nginx:1.27", tag: "nginx:1.27", isBuilt: false, services: ["web", "worker"] },
    { reference: "shop-api", tag: "shop-api:latest", isBuilt: true, services: ["api"] },
  ]);
});

test("a project without images is refused", () => {
  expect(() => collectImages({ name: "empty", services: {} })).toThrow(/no service with an image/);
});

const digest = `sha256:${"0123456789ab".padEnd(64, "c")}`;
test.each([
  ["redis", "redis:latest"],
  ["localhost:5000/redis", "localhost:5000/redis:latest"],
  ["redis:8.6-alpine", "redis:8.6-alpine"],
  [`redis:8@${digest}`, "redis:8-0123456789ab"],
  [`ghcr.io/a/b@${digest}`, "ghcr.io/a/b:sha256-0123456789ab"],
])("%s travels as %s", (reference, tag) => {
  expect(carriedTag(reference)).toBe(tag);
});
