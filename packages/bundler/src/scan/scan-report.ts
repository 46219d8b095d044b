import { DrybagError } from "@drybag/errors";
import { table } from "@drybag/terminal";
import { count } from "../count.ts";
import type { Scanner } from "./run-scanner.ts";
import type { ScannedImage } from "./scan-images.ts";
import { isAtLeast, SEVERITIES, type Severity, type Vulnerability } from "./vulnerability.ts";

export interface ScanResult {
  scanner: Scanner;
  /** The least that counts. */
  severity: Severity;
  images: ScannedImage[];
}

/** What counts: of that severity, or a worse one. */
export function countedIn({ severity, images }: ScanResult): Vulnerability[] {
  return images.flatMap((image) =>
    image.vulnerabilities.filter((each) => isAtLeast(each.severity, severity)),
  );
}

const MOST_SHOWN = 20;
const SHOWN = SEVERITIES.toReversed();

/** How many of which severity each image has, and the worst of them. */
export function scanReport(result: ScanResult, width: number | undefined): string {
  const { scanner, severity, images } = result;
  const rows = images.map(({ tag, vulnerabilities }) => [
    tag,
    ...SHOWN.map((each) => number(vulnerabilities, each)),
  ]);
  const head = ["IMAGE", ...SHOWN.map((each) => each.toUpperCase())];
  const worst = images.flatMap(({ tag, vulnerabilities }) =>
    vulnerabilities
      .filter((each) => isAtLeast(each.severity, severity))
      .map((each) => [each.severity, each.id, `${each.package} ${each.installed}`, fixText(each), tag]),
  );
  worst.sort(([a = ""], [b = ""]) => SHOWN.indexOf(a as Severity) - SHOWN.indexOf(b as Severity));
  const more = worst.length - MOST_SHOWN;
  return `${[
    table([head, ...rows], { width, alignRight: SHOWN.map((_, index) => index + 1) }),
    ...(worst.length === 0
      ? []
      : [
          "",
          table([["SEVERITY", "ID", "PACKAGE", "MENDED IN", "IMAGE"], ...worst.slice(0, MOST_SHOWN)], {
            width,
          }),
        ]),
    ...(more > 0 ? [`and ${more} more; --json or --output has all of them`] : []),
    "",
    `${count(images, "image")} scanned by ${scanner.name} ${scanner.version}: ${worst.length} of severity ${severity} or worse.`,
  ].join("\n")}\n`;
}

function number(vulnerabilities: readonly Vulnerability[], severity: Severity): string {
  const found = vulnerabilities.filter((each) => each.severity === severity).length;
  return found === 0 ? "-" : String(found);
}

function fixText({ fixed }: Vulnerability): string {
  return fixed.length === 0 ? "-" : fixed.join(", ");
}

/** For programs: everything, the scanner's own reports left out. */
export function scanJson(result: ScanResult): string {
  const images = result.images.map(({ tag, vulnerabilities }) => ({ tag, vulnerabilities }));
  return `${JSON.stringify({ scanner: result.scanner, severity: result.severity, images, found: countedIn(result).length })}\n`;
}

/** What is kept: the scanner's own reports too. */
export function keptReport({ scanner, images }: ScanResult): string {
  return `${JSON.stringify({ scanner, images }, undefined, 1)}\n`;
}

export function scanFound(found: number, severity: Severity): DrybagError {
  return new DrybagError(
    "scan-found",
    `There ${found === 1 ? "is 1 vulnerability" : `are ${found} vulnerabilities`} of severity ${severity} or worse.`,
    {
      hint: "Take newer images ('drybag outdated' shows them), build again, or say with --severity what is to count.",
    },
  );
}
