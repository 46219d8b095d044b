import { access, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { isDrybagError } from "@drybag/errors";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parseGrypeReport, parseTrivyReport } from "./parse-reports.ts";
import { findScanner } from "./run-scanner.ts";
import { type ImageToScan, scanImages } from "./scan-images.ts";
import { countedIn, scanReport } from "./scan-report.ts";
import { type FakeFinding, writeFakeScanner } from "./testing/fake-scanner.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "drybag-scanner-"));
});
afterEach(() => rm(folder, { recursive: true }));

const FINDINGS: FakeFinding[] = [
  { id: "CVE-2025-1", severity: "Low" },
  { id: "CVE-2025-2", severity: "Critical", fixed: "1.1" },
  { id: "CVE-2025-3", severity: "High" },
  { id: "CVE-2025-3", severity: "High" },
];

const context = (env: Record<string, string> = {}) => ({
  env: { PATH: `${folder}:/usr/bin:/bin`, ...env },
  signal: new AbortController().signal,
});

/** Where archives were written. */
const written: string[] = [];

/** A Docker image archive with no layers. */
function archiveOf(tag: string, images = 1): ImageToScan {
  return {
    tag,
    async writeArchive(file) {
      written.push(file);
      const index = Array.from({ length: images }, () => ({ Config: "c.json", RepoTags: [tag], Layers: [] }));
      await writeFile(path.join(folder, "manifest.json"), JSON.stringify(index));
      await execa("tar", ["--create", "--file", file, "--directory", folder, "manifest.json"]);
    },
  };
}

const quiet = { message: () => undefined };

async function codeOf(run: Promise<unknown>): Promise<{ code: string; detail: string | undefined }> {
  const error = await run.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!isDrybagError(error)) throw new Error("it was not refused", { cause: error });
  return { code: error.code, detail: error.detail };
}

describe.each(["trivy", "grype"] as const)("%s", (name) => {
  test("is found, scans each image, and what it finds is the same for both", async () => {
    await writeFakeScanner(folder, name, FINDINGS);
    const scanner = await findScanner(undefined, context());
    expect(scanner).toEqual({ name, version: name === "trivy" ? "0.99.1" : "0.88.0" });
    const images = await scanImages(scanner, [archiveOf("a:1"), archiveOf("b:1")], context(), quiet);
    expect(images.map(({ tag }) => tag)).toEqual(["a:1", "b:1"]);
    expect(images[0]?.vulnerabilities).toEqual([
      { id: "CVE-2025-2", severity: "critical", package: "libx", installed: "1.0", fixed: ["1.1"] },
      { id: "CVE-2025-3", severity: "high", package: "libx", installed: "1.0", fixed: [] },
      { id: "CVE-2025-1", severity: "low", package: "libx", installed: "1.0", fixed: [] },
    ]);
    expect(countedIn({ scanner, severity: "high", images })).toHaveLength(4);
    expect(countedIn({ scanner, severity: "critical", images })).toHaveLength(2);
    await expect(access(path.dirname(written.at(-1) as string))).rejects.toThrow("ENOENT");
  });

  test("finds nothing", async () => {
    await writeFakeScanner(folder, name, []);
    const scanner = await findScanner(name, context());
    const images = await scanImages(scanner, [archiveOf("a:1")], context(), quiet);
    expect(images[0]?.vulnerabilities).toEqual([]);
    expect(scanReport({ scanner, severity: "high", images }, undefined)).toContain("1 image scanned");
  });

  test("fails: with its own words", async () => {
    await writeFakeScanner(folder, name, []);
    const scanner = await findScanner(name, context());
    const fails = scanImages(scanner, [archiveOf("a:1")], context({ FAKE_SCANNER_FAILS: "1" }), quiet);
    expect(await codeOf(fails)).toEqual({
      code: "scanner-failed",
      detail: expect.stringContaining("vulnerability DB"),
    });
    expect(await codeOf(scanImages(scanner, [archiveOf("a:1", 2)], context(), quiet))).toMatchObject({
      code: "scanner-failed",
    });
  });
});

test("without a scanner: says how to get one", async () => {
  expect(await codeOf(findScanner(undefined, context()))).toMatchObject({ code: "scanner-missing" });
  await writeFakeScanner(folder, "grype", []);
  expect(await codeOf(findScanner("trivy", context()))).toMatchObject({ code: "scanner-missing" });
});

test.each(["", "{}", "[]", "null", "text"])("%j is a report of neither", (text) => {
  expect(() => parseTrivyReport(text)).toThrow();
  expect(() => parseGrypeReport(text)).toThrow();
});

test("golden: the table for people", async () => {
  const images = [
    {
      tag: "redis:8.6-alpine",
      report: {},
      vulnerabilities: parseTrivyReport(
        JSON.stringify({
          SchemaVersion: 2,
          Results: [
            {
              Vulnerabilities: [
                {
                  VulnerabilityID: "CVE-1",
                  PkgName: "ssl\u001b[2J",
                  InstalledVersion: "1",
                  FixedVersion: "2, 3",
                  Severity: "HIGH",
                },
                { VulnerabilityID: "CVE-2", PkgName: "zip", InstalledVersion: "1", Severity: "NEW" },
              ],
            },
          ],
        }),
      ),
    },
  ];
  const scanner = { name: "trivy" as const, version: "1" };
  expect(scanReport({ scanner, severity: "medium", images }, undefined)).toMatchInlineSnapshot(`
    "IMAGE             CRITICAL  HIGH  MEDIUM  LOW  NEGLIGIBLE  UNKNOWN
    redis:8.6-alpine         -     1       -    -           -        1

    SEVERITY  ID     PACKAGE    MENDED IN  IMAGE
    high      CVE-1  ssl [2J 1  2, 3       redis:8.6-alpine

    1 image scanned by trivy 1: 1 of severity medium or worse.
    "
  `);
});
