import { describe, expect, it } from "vitest";
import { planMirrorReference } from "./publish-image.ts";

describe("planMirrorReference", () => {
  it.each([
    ["redis:8.6-alpine", "127.0.0.1:5000/library/redis:8.6-alpine"],
    ["redis", "127.0.0.1:5000/library/redis:latest"],
    ["frappe/erpnext:v16.0.1", "127.0.0.1:5000/frappe/erpnext:v16.0.1"],
    ["docker.io/library/mariadb:11.8", "127.0.0.1:5000/library/mariadb:11.8"],
    ["docker.io/mariadb:11.8", "127.0.0.1:5000/library/mariadb:11.8"],
    ["a/b/c:1", "127.0.0.1:5000/a/b/c:1"],
  ])("asks the mirror for %s as %s", (reference, expected) => {
    expect(planMirrorReference(reference)).toBe(expected);
  });

  it.each(["quay.io/a/b:1", "localhost/a:1", "localhost:5000/a:1", "host:5000/a"])(
    "refuses %s",
    (reference) => {
      expect(() => planMirrorReference(reference)).toThrow("stands in for Docker Hub only");
    },
  );

  it.each(["", `redis@sha256:${"0".repeat(64)}`])("refuses %j", (reference) => {
    expect(() => planMirrorReference(reference)).toThrow("cannot publish");
  });
});
