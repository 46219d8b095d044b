import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { StageReport } from "@drybag/terminal";
import { runScanner, type Scanner, type ScannerContext } from "./run-scanner.ts";
import type { Vulnerability } from "./vulnerability.ts";

/** An image, and how to have it as a Docker image archive of its own. */
export interface ImageToScan {
  tag: string;
  writeArchive(file: string, signal: AbortSignal): Promise<void>;
}

export interface ScannedImage {
  tag: string;
  vulnerabilities: Vulnerability[];
  /** The scanner's own report, as it gave it. */
  report: unknown;
}

/**
 * Scans images one after the other, each as an archive that is removed again: scanners read archives of one image on any machine, and
 * only one image at a time takes space in the temporary folder.
 */
export async function scanImages(
  scanner: Scanner,
  images: readonly ImageToScan[],
  context: ScannerContext,
  report: Pick<StageReport, "message">,
): Promise<ScannedImage[]> {
  const folder = await mkdtemp(path.join(tmpdir(), "drybag-scan-"));
  try {
    const scanned: ScannedImage[] = [];
    for (const [index, { tag, writeArchive }] of images.entries()) {
      report.message(tag);
      const archive = path.join(folder, `${index}.tar`);
      await writeArchive(archive, context.signal);
      scanned.push({ tag, ...(await runScanner(scanner, archive, context)) });
      await rm(archive);
    }
    return scanned;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
