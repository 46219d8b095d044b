import { execFileSync } from "node:child_process";
import { mkdir, symlink, writeFile } from "node:fs/promises";
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

describe("finds a bundle whose names the drive shows in another case,", () => {
  const sums = `${SUM}  erp-1.tar.001\n${SUM}  erp-1.tar.002\n${SUM}  install.sh\n`;

  test("all of them", async () => {
    await using folder = await folderWith(["ERP-1.TAR.001", "ERP-1.TAR.002", "INSTALL.SH"]);
    await writeFile(join(folder.path, "sha256sums"), sums);
    for (const path of ["", "ERP-1.TAR.001"]) {
      const { stem, parts, checksums } = await findBundle(join(folder.path, path));
      expect(stem).toBe("erp-1");
      expect(parts.map(({ name, path }) => [name, path])).toEqual([
        ["erp-1.tar.001", join(folder.path, "ERP-1.TAR.001")],
        ["erp-1.tar.002", join(folder.path, "ERP-1.TAR.002")],
      ]);
      expect(checksums?.size).toBe(3);
    }
  });

  test("one of them, or all without SHA256SUMS", async () => {
    await using mixed = await folderWith(["erp-1.tar.001", "ERP-1.TAR.002"], sums);
    // Two stems, as far as names go.
    const found = await findBundle(join(mixed.path, "erp-1.tar.001"));
    expect(found.parts.map(({ name }) => name)).toEqual(["erp-1.tar.001", "erp-1.tar.002"]);
    await using bare = await folderWith(["ERP-1.TAR"]);
    expect(await findBundle(bare.path)).toMatchObject({ stem: "ERP-1", parts: [{ sizeBytes: 9 }] });
  });

  test("and still names what is missing as it was written", async () => {
    await using folder = await folderWith(["ERP-1.TAR.001"], sums);
    expect(await refusal(() => findBundle(folder.path))).toMatch(
      /^bundle-part-missing: erp-1\.tar\.002 is missing/,
    );
  });

  test("but not where two could be meant; what is written so is", async () => {
    await using two = await folderWith(["Erp-1.tar.001", "eRP-1.tar.001", "erp-1.tar.002"], sums);
    expect(await refusal(() => findBundle(join(two.path, "erp-1.tar.002")))).toMatch(
      /^bundle-not-found: (Erp.* and eRP|eRP.* and Erp).* differ only in their case, and erp-1\.tar\.001 is not there/,
    );
    await using exact = await folderWith(["erp-1.tar.001", "eRP-1.tar.001", "erp-1.tar.002"], sums);
    const { parts } = await findBundle(join(exact.path, "erp-1.tar.002"));
    expect(parts[0]?.path).toBe(join(exact.path, "erp-1.tar.001"));
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
    ["a name that steers a terminal", ["a\u001b[2J.tar"], undefined, /^bundle-not-found: There is no bundle/],
    ["a name of two lines", ["a\nb.tar"], undefined, /^bundle-not-found: There is no bundle/],
    ["sums with escapes", ["a.tar"], `\\${SUM}  a\\n.tar\n`, /^checksums-invalid: Line 1/],
  ])("%s", async (_, names, checksums, message) => {
    await using folder = await folderWith(names, checksums);
    expect(await refusal(() => findBundle(folder.path))).toMatch(message);
  });

  test.each(["a.tar", "SHA256SUMS"])("%s that is a folder, a pipe or a device", async (name) => {
    for (const make of [
      (path: string) => mkdir(path),
      (path: string) => execFileSync("mkfifo", [path]),
      (path: string) => symlink("/dev/zero", path),
      (path: string) => symlink(path, path),
    ]) {
      await using folder = await folderWith(name === "a.tar" ? [] : ["a.tar"]);
      await make(join(folder.path, name));
      expect(await refusal(() => findBundle(folder.path))).toMatch(
        /^(bundle-not-found: .* is not a file|checksums-invalid: |bundle-unreadable: )/,
      );
    }
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
