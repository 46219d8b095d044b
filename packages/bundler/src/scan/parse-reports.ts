import { SEVERITIES, type Severity, sortVulnerabilities, type Vulnerability } from "./vulnerability.ts";

/**
 * Reads the JSON report of `trivy image --format json` (https://trivy.dev/latest/docs/configuration/reporting/, JSON). Throws SyntaxError
 * or TypeError for what is no report.
 */
export function parseTrivyReport(text: string): Vulnerability[] {
  const { SchemaVersion, Results } = JSON.parse(text) as TrivyReport;
  if (typeof SchemaVersion !== "number") throw new TypeError("no report of Trivy");
  const found = (Results ?? []).flatMap((result) => result.Vulnerabilities ?? []);
  return sortVulnerabilities(
    found.map((each) => ({
      id: plain(each.VulnerabilityID),
      severity: severityOf(each.Severity),
      package: plain(each.PkgName),
      installed: plain(each.InstalledVersion),
      fixed: plain(each.FixedVersion)
        .split(/,\s*/)
        .filter((version) => version !== ""),
    })),
  );
}

interface TrivyReport {
  SchemaVersion?: unknown;
  /** Absent for an image in which there is nothing to look at. */
  Results?: { Vulnerabilities?: Record<string, unknown>[] | null }[] | null;
}

/**
 * Reads the JSON report of `grype -o json` (https://github.com/anchore/grype, Output formats). Throws SyntaxError or TypeError for
 * what is no report.
 */
export function parseGrypeReport(text: string): Vulnerability[] {
  const { matches } = JSON.parse(text) as GrypeReport;
  if (!Array.isArray(matches)) throw new TypeError("no report of Grype");
  return sortVulnerabilities(
    matches.map(({ vulnerability, artifact }) => ({
      id: plain(vulnerability?.id),
      severity: severityOf(vulnerability?.severity),
      package: plain(artifact?.name),
      installed: plain(artifact?.version),
      fixed: (vulnerability?.fix?.versions ?? []).map(plain),
    })),
  );
}

interface GrypeReport {
  matches?: {
    vulnerability?: { id?: unknown; severity?: unknown; fix?: { versions?: unknown[] | null } | null };
    artifact?: { name?: unknown; version?: unknown };
  }[];
}

function severityOf(value: unknown): Severity {
  const word = plain(value).toLowerCase();
  return SEVERITIES.find((severity) => severity === word) ?? "unknown";
}

/** Databases quote the world: nothing in it may steer a terminal. */
function plain(value: unknown): string {
  return typeof value === "string" ? value.slice(0, 300).replace(/[\p{Cc}\p{Cf}]+/gu, " ") : "";
}
