import path from "node:path";
import { gzipSync, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { LAYER_MEDIA_TYPES } from "@drybag/format";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { forgeFile, forgeLayer } from "../support/forge-bundle.ts";
import { imagesOf } from "../support/installer.ts";
import { MIB, Refusals } from "./refusals.ts";

let refusals: Refusals;

beforeAll(async () => {
  refusals = await Refusals.open("refuse-forged", {
    site: { imageStore: "classic" },
    sites: [{ name: "modern", imageStore: "containerd" }],
  });
  await refusals.packWhole();
});

afterAll(() => refusals?.[Symbol.asyncDispose]());

describe.each(["site", "modern"] as const)(
  "a layer that becomes more than it says, on the engine '%s'",
  (name) => {
    const bombBytes = 64 * MIB;
    test.each<[string, string, (packed: Buffer) => { blob: Buffer; mediaType: string }]>([
      [
        "in a later member of gzip",
        "layer-bomb",
        (packed) => ({
          blob: Buffer.concat([gzipSync(zstdDecompressSync(packed)), gzipSync(Buffer.alloc(bombBytes))]),
          mediaType: LAYER_MEDIA_TYPES.gzip,
        }),
      ],
      [
        "in a later frame of zstd",
        "layer-bomb",
        (packed) => ({
          blob: Buffer.concat([packed, zstdCompressSync(Buffer.alloc(bombBytes))]),
          mediaType: LAYER_MEDIA_TYPES.zstd,
        }),
      ],
      [
        "as gzip that is called zstd",
        "layer-refused",
        (packed) => ({ blob: gzipSync(zstdDecompressSync(packed)), mediaType: LAYER_MEDIA_TYPES.zstd }),
      ],
    ])("%s: %s", async (how, code, forge) => {
      const site = refusals.siteNamed(name);
      const forged = path.join(refusals.work, `${name}-${how}`);
      await forgeLayer(refusals.whole, forged, forge);
      const said = await refusals.refused(site, refusals.start(site, forged), {
        exitCode: 5,
        before: await imagesOf(site),
      });
      expect(said).toMatch(new RegExp(`^error: .* \\[${code}\\]\n→ .*do not use it`));
    });
  },
);

test("a compose.offline.yaml that lets a service run something else is refused before anything is loaded", async () => {
  const { site } = refusals;
  const forged = path.join(refusals.work, "other-compose");
  const content = "services: {app: {image: 'somebody/else:1', pull_policy: missing}}\n";
  await forgeFile(refusals.whole, forged, "compose.offline.yaml", content);
  const said = await refusals.refused(site, refusals.start(site, forged), {
    exitCode: 5,
    before: await imagesOf(site),
  });
  expect(said).toMatch(
    /^error: app is not bound to .*pull_policy is missing; its image is somebody\/else:1, not refuse\/app:1\. \[bundle-not-offline\]\n→ .*do not use it/,
  );
});
