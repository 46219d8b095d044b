import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openBundle } from "./open-bundle.ts";
import { sha256Hex } from "./sha256.ts";
import { parseTrustedSigners } from "./signature/trusted-signers.ts";
import { refusal } from "./testing/refusal.ts";
import { readAll } from "./testing/written-bundle.ts";
import { verifyCarryFolder } from "./verify-carry-folder.ts";

/** Files that are never written anew: see the README there. */
const GOLDEN = join(import.meta.dirname, "../golden");

describe("a bundle that was written with format 1", () => {
  const folder = join(GOLDEN, "format-1");

  test("is whole, down to its unpacked layers, and signed by its key", async () => {
    const trusted = parseTrustedSigners(
      await readFile(join(GOLDEN, "signer.pub"), "utf8"),
      "signer.pub",
      new Date(0),
    );
    const { bundle, findings } = await verifyCarryFolder(folder, { trusted, unpackLayers: true });
    expect(findings).toEqual([]);
    expect(bundle?.signer?.fingerprint).toBe(trusted[0]?.fingerprint);
  });

  test("says what it always said", async () => {
    const bundle = await openBundle(folder);
    expect(bundle.carryFolder.parts.length).toBeGreaterThan(1);
    expect(bundle.manifestSha256).toMatchInlineSnapshot(
      `"d8cbe02c4432a1b158453a79424e881455e0bda98e02ea10e9301b34a8f4cced"`,
    );
    const written = JSON.parse(bundle.manifestBytes.toString());
    expect(written).toMatchObject(bundle.manifest);
    expect(bundle.manifest.settings.map(({ type }) => type)).toEqual(["port", "choice", undefined]);
  });

  test("gives its entries", async () => {
    const { released, error } = await readAll(await openBundle(folder));
    expect(error).toBeUndefined();
    const entries = released.map(({ entry, bytes }) => `${sha256Hex(bytes).slice(0, 12)} ${entry.path}`);
    expect(entries).toMatchInlineSnapshot(`
      [
        "8d3389866d38 project/.env",
        "c09752931e1f project/compose.yaml",
        "e3b0c44298fc project/data/",
        "e3b0c44298fc project/empty.txt",
        "98de912f8f50 project/folder/folder/folder/folder/folder/folder/folder/folder/folder/folder/folder/folder/folder/folder/folder/folder/folder/folder/folder/folder/größe.txt",
        "a8076d3d28d2 project/start.sh",
        "08283fb28fe7 compose.offline.yaml",
        "28598110fdde compose.offline.env",
        "faa9e4d30e2e extra/later.txt",
        "18f0797eab35 oci-layout",
        "180cc3b6d725 index.json",
        "c5b7fc8d7561 manifest.json",
        "1b299fe89a1e blobs/sha256/1b299fe89a1edb460b2ee44cce25fc17f90c11e6e312073a160daa47cacd6a0e",
        "d44545a61baf blobs/sha256/d44545a61bafcebc1ee08128550976eb87d6712d9adbf36e9249922ec4f1ebee",
        "d71c6e27efce blobs/sha256/d71c6e27efce8381958968ed67254a163f256568404f055236e59b5162e22844",
        "f71c686abedf blobs/sha256/f71c686abedf762f760a5932a9e8255163776a16ac91b0b5129ac5c6faf9c4a0",
        "19aa23857077 blobs/sha256/19aa238570777587c5e98ff66662bd88a9c2e6a6602710159a5cb25815878c58",
        "2b7583f26211 blobs/sha256/2b7583f26211bf7d7d1a6adaeb13c09a8d01daa3e017444dadd1e19b2d402c8d",
        "639ff2d66e22 blobs/sha256/639ff2d66e22e26468ba9a9904c329bbf63c4140654dd8a16847fb425d1a93dc",
      ]
    `);
  });
});

test.each([
  ["a critical field that is not known", "critical", /needs the feature "later"/],
  ["a newer format", "format-2", /has format version 2/],
])("%s is refused, and said what to do", async (_, name, message) => {
  const folder = join(GOLDEN, name);
  const refused = await refusal(() => openBundle(folder));
  expect(refused).toMatch(/^bundle-too-new: /);
  expect(refused).toMatch(message);
  expect((await verifyCarryFolder(folder)).findings).toContainEqual(
    expect.objectContaining({ code: "bundle-too-new", remedy: expect.stringMatching(/newer Drybag/) }),
  );
});
