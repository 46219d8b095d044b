import { expect, test } from "vitest";
import { openBundle } from "./open-bundle.ts";
import { sha256Hex } from "./sha256.ts";
import { refusal } from "./testing/refusal.ts";
import { temporaryFolder } from "./testing/temporary-folder.ts";
import { noise, tinyBundle } from "./testing/tiny-bundle.ts";
import { archiveBytes, layoutOf, placeArchive, readAll } from "./testing/written-bundle.ts";
import { zstdBomb } from "./testing/zstd-bomb.ts";
import { toldFrame } from "./testing/zstd-streams.ts";
import { verifyCarryFolder } from "./verify-carry-folder.ts";

/** 200 MB in a few kilobytes, and a manifest that says it is small. */
const BOMB = await zstdBomb();

test("a layer that announces more than the manifest is refused before a byte of it is given out", async () => {
  await using folder = await temporaryFolder();
  await placeArchive(folder.path, await archiveBytes(folder.path, tinyBundle({ firstLayer: BOMB })));
  const { released, error } = await readAll(await openBundle(folder.path));
  expect(error).toMatchObject({ code: "layer-bomb" });
  expect(released.at(-1)?.entry.path).toMatch(/^blobs\//);
  expect(released.at(-1)?.bytes.length).toBe(0);
});

const CONTENT = noise(200_000, 1);

test("a bomb behind what the first frame tells is refused before the layer is given out whole", async () => {
  await using folder = await temporaryFolder();
  const firstLayer = Buffer.concat([toldFrame(CONTENT), BOMB]);
  const bundle = tinyBundle({ firstLayer, firstLayerBecomesBytes: CONTENT.length });
  await placeArchive(folder.path, await archiveBytes(folder.path, bundle));
  const { released, error } = await readAll(await openBundle(folder.path));
  expect(error).toMatchObject({
    code: "layer-bomb",
    message: expect.stringMatching(/^blobs.* announces 200200000 bytes where the manifest says 200000\.$/),
  });
  expect(released.at(-1)?.bytes.length).toBeLessThan(firstLayer.length);
});

test("a bomb whose first bytes lie in another part than the rest is refused all the same", async () => {
  await using folder = await temporaryFolder();
  const bundle = tinyBundle({ firstLayer: BOMB });
  const bytes = await archiveBytes(folder.path, bundle);
  const layer = bundle.manifest.entries.find(({ path }) => path.endsWith(sha256Hex(BOMB)));
  const start = layoutOf(bundle).find(({ path }) => path === layer?.path)?.bodyStart ?? Number.NaN;
  await placeArchive(folder.path, bytes, { partSizeBytes: start + 5 });
  const { released, error } = await readAll(await openBundle(folder.path));
  expect(error).toMatchObject({ code: "layer-bomb" });
  expect(released.at(-1)?.bytes.length).toBeLessThanOrEqual(5);
});

test("a layer that is damaged is not taken for a bomb", async () => {
  await using folder = await temporaryFolder();
  const firstLayer = toldFrame(CONTENT);
  const bundle = tinyBundle({ firstLayer, firstLayerBecomesBytes: CONTENT.length });
  const bytes = await archiveBytes(folder.path, bundle);
  // The size that the frame tells.
  const at = bytes.indexOf(firstLayer) + 5;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  await placeArchive(folder.path, bytes);
  expect((await readAll(await openBundle(folder.path))).error).toMatchObject({ code: "digest-mismatch" });
  const { findings } = await verifyCarryFolder(folder.path, { unpackLayers: true });
  expect(findings.map(({ code }) => code)).toContain("digest-mismatch");
  expect(findings.map(({ code }) => code)).not.toContain("layer-bomb");
});

test("unpacking layers finds those that are not what the manifest says, in a bundle that is whole otherwise", async () => {
  await using folder = await temporaryFolder();
  const bundle = tinyBundle();
  await placeArchive(folder.path, await archiveBytes(folder.path, bundle));
  expect((await verifyCarryFolder(folder.path)).findings).toEqual([]);
  // Their content is noise, no zstd at all.
  const { findings } = await verifyCarryFolder(folder.path, { unpackLayers: true });
  expect(findings.map(({ code }) => code)).toEqual(bundle.manifest.layers.map(() => "layer-refused"));
});

test("verifying tells of a bomb, and is done in no time", async () => {
  await using folder = await temporaryFolder();
  await placeArchive(folder.path, await archiveBytes(folder.path, tinyBundle({ firstLayer: BOMB })));
  const { findings } = await verifyCarryFolder(folder.path);
  expect(findings).toMatchObject([{ code: "layer-bomb", severity: "error" }]);
  expect(await refusal(() => openBundle(folder.path))).toBe("not refused");
});
