import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { findBundle } from "./find-bundle.ts";
import { refusal } from "./testing/refusal.ts";
import { temporaryFolder } from "./testing/temporary-folder.ts";

const SUM = "0".repeat(64);

async function folderWith(names: string[], checksums?: string) {
  const folder = await temporaryFolder();
  for (const name of names) await writeFile(join(folder.path, name), name);
  if (checksums !== undefined) await writeFile(join(folder.path, "SHA256SUMS"), checksums);
  return folder;
}

describe("finds a bundle", () => {
  test("by its folder, its file or any of its parts", async () => {
    await using folder = await folderWith([
      "a.tar.002",
      "a.tar.001",
      "README.txt",
      "x.tar.001.partial",
      "y.tar.gz",
    ]);
    for (const path of ["", "a.tar.001", "a.tar.002"]) {
      const found = await findBundle(join(folder.path, path));
      expect(found).toMatchObject({
        stem: "a",
        parts: [{ name: "a.tar.001", sizeBytes: 9 }, { name: "a.tar.002" }],
      });
      expect(found).not.toHaveProperty("checksums");
    }
    await using single = await folderWith(["a.b-1.tar"], `${SUM}  a.b-1.tar\n${SUM} *README.txt\n`);
    const found = await findBundle(single.path);
    expect(found.parts.map((part) => part.name)).toEqual(["a.b-1.tar"]);
    expect(found.checksums).toEqual(
      new Map([
        ["a.b-1.tar", SUM],
        ["README.txt", SUM],
      ]),
    );
  });

  test("by its file where there are several", async () => {
    await using folder = await folderWith(["a.tar", "b.tar.001", "b.tar.002"]);
    expect((await findBundle(join(folder.path, "a.tar"))).parts).toHaveLength(1);
    expect((await findBundle(join(folder.path, "b.tar.001"))).parts).toHaveLength(2);
  });
});

describe("refuses", () => {
  test.each<[string, string[], string | undefined, RegExp]>([
    ["an empty folder", [], undefined, /^bundle-not-found: There is no bundle in/],
    ["two bundles", ["b.tar", "a.tar.001"], undefined, /^bundle-not-found: There are several .*: a, b\./],
    [
      "a gap",
      ["a.tar.001", "a.tar.004"],
      undefined,
      /^bundle-part-missing: a\.tar\.002, a\.tar\.003 are missing/,
    ],
    ["no first part", ["a.tar.002"], undefined, /^bundle-part-missing: a\.tar\.001 is missing/],
    ["a first part alone", ["a.tar.001"], undefined, /^bundle-part-missing: a\.tar\.002 is missing/],
    [
      "a last part that only SHA256SUMS knows",
      ["a.tar.001", "a.tar.002"],
      [1, 2, 3].map((number) => `${SUM}  a.tar.00${number}\n`).join(""),
      /^bundle-part-missing: a\.tar\.003 is missing/,
    ],
    [
      "one file and parts",
      ["a.tar", "a.tar.001"],
      undefined,
      /^bundle-not-found: a\.tar and a\.tar\.001 lie side by/,
    ],
    ["sums that are none", ["a.tar"], "hello\n", /^checksums-invalid: Line 1 of SHA256SUMS/],
    ["sums that are empty", ["a.tar"], "", /^checksums-invalid: /],
    ["sums of a file elsewhere", ["a.tar"], `${SUM}  ../a.tar\n`, /^checksums-invalid: Line 1/],
    ["sums of the folder", ["a.tar"], `${SUM}  ..\n`, /^checksums-invalid: Line 1/],
    ["sums given twice", ["a.tar"], `${SUM}  a.tar\n${SUM}  a.tar\n`, /^checksums-invalid: Line 2/],
    ["sums with escapes", ["a.tar"], `\\${SUM}  a\\n.tar\n`, /^checksums-invalid: Line 1/],
  ])("%s", async (_, names, checksums, message) => {
    await using folder = await folderWith(names, checksums);
    expect(await refusal(() => findBundle(folder.path))).toMatch(message);
  });

  test("what is not there or has another name", async () => {
    await using folder = await folderWith(["a.zip", "a.tar"]);
    await mkdir(join(folder.path, "b.tar.001"));
    expect(await refusal(() => findBundle(join(folder.path, "b.tar")))).toMatch(
      /^bundle-not-found: There is no /,
    );
    expect(await refusal(() => findBundle(join(folder.path, "a.zip")))).toMatch(
      /^bundle-not-found: .*does not end/,
    );
    expect(await refusal(() => findBundle(join(folder.path, "a.tar/x")))).toMatch(/^bundle-not-found: /);
  });
});
