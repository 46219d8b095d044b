import type { DockerContext } from "@drybag/docker";
import { DrybagError } from "@drybag/errors";
import { EXTRA_PREFIX } from "@drybag/format";
import type { StageReport } from "@drybag/terminal";
import { engineImages } from "./image-sources.ts";
import type { Scanner } from "./run-scanner.ts";
import { scanImages } from "./scan-images.ts";
import { countedIn, keptReport, scanFound } from "./scan-report.ts";
import { type Severity, sortVulnerabilities } from "./vulnerability.ts";

/** Where a bundle keeps the report; `tar -xf BUNDLE extra/scan.json` gets it out. */
export const SCAN_ENTRY = `${EXTRA_PREFIX}scan.json`;

const MOST_TOLD = 10;

/**
 * Scans the images that are about to be packed. Gives the entry that travels with them; throws `scan-found` with the worst of what
 * counts, before anything is written.
 */
export async function scanForPack(
  scanner: Scanner,
  severity: Severity,
  tags: readonly string[],
  docker: DockerContext,
  report: Pick<StageReport, "message">,
  signal: AbortSignal,
): Promise<{ path: string; content: Buffer }> {
  const images = await scanImages(scanner, engineImages(docker, tags), { env: docker.env, signal }, report);
  const result = { scanner, severity, images };
  const found = countedIn(result);
  if (found.length === 0) return { path: SCAN_ENTRY, content: Buffer.from(keptReport(result)) };
  const error = scanFound(found.length, severity);
  throw new DrybagError(error.code, error.message, {
    ...(error.hint !== undefined && { hint: error.hint }),
    detail: sortVulnerabilities(found)
      .slice(0, MOST_TOLD)
      .map((each) => `${each.severity} ${each.id} in ${each.package} ${each.installed}`)
      .join("\n"),
  });
}
