import type { EngineFacts } from "@drybag/docker";
import type { Manifest } from "@drybag/format";
import { expect, test } from "vitest";
import { checkEngine } from "./preflight-engine.ts";

const manifest = {
  requires: { engine: "23.0.0", compose: "2.18.0" },
  platform: { os: "linux", architecture: "amd64" },
} as Manifest;
const engine = { version: "28.5.2+dfsg4", os: "linux", architecture: "amd64" } as EngineFacts;

function codes(facts: Partial<EngineFacts>, compose: string | undefined): string[] {
  return checkEngine(manifest, { ...engine, ...facts }, compose).map(({ code }) => code);
}

test("new enough and of the right kind is nothing to speak of", () => {
  expect(codes({}, "2.18.0")).toEqual([]);
  expect(codes({ version: "23.0.0" }, "v2.40.3-desktop.1")).toEqual([]);
});

test("all that does not fit is told at once", () => {
  expect(codes({ version: "20.10.24+dfsg1", architecture: "arm64" }, "2.17.9")).toEqual([
    "engine-too-old",
    "compose-too-old",
    "platform-mismatch",
  ]);
});

test("a Compose that could not be asked was told before", () => {
  expect(codes({}, undefined)).toEqual([]);
});
