import type { ComposeModel } from "@drybag/docker";
import type { Manifest } from "@drybag/format";
import { expect, test } from "vitest";
import { checkBindMounts } from "./preflight-bind-mounts.ts";

const manifest = {
  entries: [
    { type: "file", path: "project/content/index.html" },
    { type: "file", path: "project/app.conf" },
    { type: "directory", path: "project/data/" },
  ],
} as unknown as Manifest;

function mounted(source: string, read_only = false): ComposeModel {
  return { name: "x", services: { web: { volumes: [{ type: "bind", source, target: "/t", read_only }] } } };
}

test("a folder of the release that can be written to is told", () => {
  expect(checkBindMounts(mounted("/r/project/content"), manifest, "/r")).toMatchObject([
    { severity: "warning", message: expect.stringContaining("web may write to project/content") },
  ]);
});

test.each([
  ["read-only", mounted("/r/project/content", true)],
  ["a single file", mounted("/r/project/app.conf")],
  ["shared by all releases", mounted("/r/project/data")],
  ["outside the release", mounted("/var/lib/x")],
])("one that is %s is not", (_, model) => {
  expect(checkBindMounts(model, manifest, "/r")).toEqual([]);
});
