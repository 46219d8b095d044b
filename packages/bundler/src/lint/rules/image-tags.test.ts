import { describe, expect, test } from "vitest";
import { lintFiles, places } from "../testing/lint-files.ts";
import { imageTags, isBroad, isMoving } from "./image-tags.ts";

const digest = `sha256:${"0123456789abcdef".repeat(4)}`;

describe("image tags", () => {
  test("are found where they are written, once for all services that share the place", async () => {
    const findings = await lintFiles(
      imageTags,
      `x-app: &app
  image: shop/app:latest
services:
  web: {<<: *app}
  worker: {<<: *app}
  db: {image: "postgres:16"}
  cache: {image: redis}
  pinned: {image: redis@${digest}}
  built: {build: ., image: shop/built:latest}
`,
    );
    expect(places(findings)).toEqual([
      "compose.yaml:2:10 warning moving-tag",
      "compose.yaml:6:15 info broad-tag",
      "compose.yaml:7:18 warning moving-tag",
      "compose.yaml:8:19 info digest-reference",
    ]);
    expect(findings[0]?.message).toContain("services 'web' and 'worker'");
  });

  test("in the last file win", async () => {
    const files = {
      "compose.yaml": "services:\n  a: {image: redis}\n  b: {image: redis}\n",
      "over.yaml": "services:\n  a: {image: redis:8.6}\n  b: {image: redis:latest}\n",
    };
    const findings = await lintFiles(imageTags, files, { compose: ["compose.yaml", "over.yaml"] });
    expect(places(findings)).toEqual(["over.yaml:3:14 warning moving-tag"]);
  });

  test("of mounted images count too", async () => {
    const text = `services:
  web:
    image: nginx:1.27
    volumes:
      - {type: image, source: assets, target: /srv}
`;
    expect(places(await lintFiles(imageTags, text))).toEqual(["compose.yaml:5:31 warning moving-tag"]);
  });

  test("without a value are no image name", async () => {
    const text = "services:\n  web:\n    image: shop:${TAG-}\n";
    expect(places(await lintFiles(imageTags, text))).toEqual(["compose.yaml:3:12 error reference-invalid"]);
  });

  test("that the site chooses are not judged", async () => {
    expect(await lintFiles(imageTags, "services:\n  web:\n    image: shop:${TAG:?}\n")).toEqual([]);
  });
});

test.each([
  "latest",
  "main",
  "master",
  "develop",
  "edge",
  "nightly",
  "stable",
  "version-15",
  "alpine",
  "lts",
  "stable-alpine",
  "latest-pg16",
  "16-dev",
  "release-2",
  "bookworm-slim",
])("%s moves", (tag) => {
  expect(isMoving(tag)).toBe(true);
});

test.each([
  "8.6-alpine",
  "v16.32.3",
  "11.8",
  "20240101",
  "nightly-2024-01-31",
  "1.2.3-stable",
  "deadbeef",
  "sha-0a1b2c3d",
  "16",
  "RELEASE.2024-01-31T20-20-33Z",
])("%s does not", (tag) => {
  expect(isMoving(tag)).toBe(false);
});

test.each(["16", "v3", "8-jdk", "2-alpine3.18"])("%s is only a major version", (tag) => {
  expect(isBroad(tag)).toBe(true);
});

test.each(["16.4", "20240101", "1234", "3.20"])("%s is more", (tag) => {
  expect(isBroad(tag)).toBe(false);
});
