import { DrybagError } from "@drybag/errors";
import { describe, expect, test } from "vitest";
import { normalizeReference } from "./image-reference.ts";

const DIGEST = `sha256:${"a1".repeat(32)}`;

describe("normalizeReference", () => {
  test.each([
    ["redis", "redis:latest", "docker.io/library/redis:latest"],
    ["redis:8.6-alpine", "redis:8.6-alpine", "docker.io/library/redis:8.6-alpine"],
    ["library/redis:1", "redis:1", "docker.io/library/redis:1"],
    ["docker.io/redis:1", "redis:1", "docker.io/library/redis:1"],
    ["index.docker.io/library/redis:1", "redis:1", "docker.io/library/redis:1"],
    ["frappe/erpnext:v16.1.0", "frappe/erpnext:v16.1.0", "docker.io/frappe/erpnext:v16.1.0"],
    ["docker.io/library/a/b:1", "library/a/b:1", "docker.io/library/a/b:1"],
    ["ghcr.io/a/b/c", "ghcr.io/a/b/c:latest", "ghcr.io/a/b/c:latest"],
    ["localhost/a:1", "localhost/a:1", "localhost/a:1"],
    ["localhost:5000/a:1", "localhost:5000/a:1", "localhost:5000/a:1"],
    ["Registry/a:1", "Registry/a:1", "Registry/a:1"],
    ["[2001:db8::1]:5000/a:1", "[2001:db8::1]:5000/a:1", "[2001:db8::1]:5000/a:1"],
    ["a__b/c--d.e:_x", "a__b/c--d.e:_x", "docker.io/a__b/c--d.e:_x"],
    [`redis@${DIGEST}`, `redis@${DIGEST}`, `docker.io/library/redis@${DIGEST}`],
    [`redis:8@${DIGEST}`, `redis:8@${DIGEST}`, `docker.io/library/redis:8@${DIGEST}`],
  ])("%s is %s, in full %s", (given, familiar, qualified) => {
    expect(normalizeReference(given)).toMatchObject({ familiar, qualified });
    expect(normalizeReference(familiar)).toEqual(normalizeReference(qualified));
  });

  test("gives the parts", () => {
    expect(normalizeReference(`localhost:5000/a/b:1@${DIGEST}`)).toEqual({
      domain: "localhost:5000",
      path: "a/b",
      tag: "1",
      digest: DIGEST,
      familiar: `localhost:5000/a/b:1@${DIGEST}`,
      qualified: `localhost:5000/a/b:1@${DIGEST}`,
    });
    expect(normalizeReference(`redis@${DIGEST}`)).not.toHaveProperty("tag");
  });

  test.each([
    "",
    ":1",
    "redis:",
    "redis@",
    "redis@sha256:ab",
    `redis@${DIGEST}0`,
    "Redis",
    "a/B:1",
    "a//b",
    "/a",
    "a/",
    "a___b/.c",
    "-a/b",
    "redis:-1",
    `redis:${"x".repeat(129)}`,
    "redis 1",
    "redis\n",
    "http://x/y",
    "a1".repeat(32),
    `a/${"b".repeat(260)}`,
    `${"-".repeat(100_000)}/x`,
  ])("refuses %j", (given) => {
    expect(() => normalizeReference(given)).toThrow(DrybagError);
  });
});
