import { expect, test } from "vitest";
import { openBundle } from "./open-bundle.ts";
import { refusal } from "./testing/refusal.ts";
import { temporaryFolder } from "./testing/temporary-folder.ts";
import { tinyBundle } from "./testing/tiny-bundle.ts";
import { archiveBytes, placeArchive, readAll } from "./testing/written-bundle.ts";
import { zstdBomb } from "./testing/zstd-bomb.ts";
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
