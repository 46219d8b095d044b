import { readFile } from "node:fs/promises";
import { DrybagError } from "@drybag/errors";
import { execa } from "execa";
import { parseGrypeReport, parseTrivyReport } from "./parse-reports.ts";
import type { Vulnerability } from "./vulnerability.ts";

export const SCANNERS = ["trivy", "grype"] as const;
export type ScannerName = (typeof SCANNERS)[number];

/** A scanner that is installed here. */
export interface Scanner {
  name: ScannerName;
  version: string;
}

export interface ScannerContext {
  /** The whole environment of the scanner: its own variables (TRIVY_…, GRYPE_…) count. */
  env: Record<string, string | undefined>;
  signal: AbortSignal;
}

interface Known {
  versionArgs: string[];
  scanArgs(archive: string, report: string): string[];
  parse(text: string): Vulnerability[];
}

/** Both end with 0 whatever they find, unless told otherwise: an exit code above 0 means that they failed. */
const KNOWN: Record<ScannerName, Known> = {
  trivy: {
    versionArgs: ["version", "--format", "json"],
    scanArgs: (archive, report) => [
      ...["image", "--quiet", "--scanners", "vuln", "--exit-code", "0"],
      ...["--format", "json", "--output", report, "--input", archive],
    ],
    parse: parseTrivyReport,
  },
  grype: {
    versionArgs: ["version", "--output", "json"],
    scanArgs: (archive, report) => [
      `docker-archive:${archive}`,
      "--quiet",
      "--output",
      "json",
      "--file",
      report,
    ],
    parse: parseGrypeReport,
  },
};

/** The scanner that is asked for, or the first that is there. Throws `scanner-missing`. */
export async function findScanner(
  wanted: ScannerName | undefined,
  { env, signal }: ScannerContext,
): Promise<Scanner> {
  for (const name of wanted === undefined ? SCANNERS : [wanted]) {
    const result = await execa(name, KNOWN[name].versionArgs, {
      ...{ env, extendEnv: false, reject: false, stdin: "ignore", cancelSignal: signal },
    });
    signal.throwIfAborted();
    if (result.exitCode === 0) return { name, version: versionIn(result.stdout) };
  }
  throw new DrybagError(
    "scanner-missing",
    wanted === undefined
      ? "Neither Trivy nor Grype is installed on this machine."
      : `There is no '${wanted}' command on this machine.`,
    {
      hint: "Install one of them, for instance from https://trivy.dev or https://github.com/anchore/grype, and run the same command again.",
    },
  );
}

function versionIn(text: string): string {
  try {
    const said = JSON.parse(text) as { Version?: unknown; version?: unknown };
    const version = said.Version ?? said.version;
    return typeof version === "string" ? version : "unknown";
  } catch {
    return "unknown";
  }
}

/**
 * Scans a Docker image archive of one image. Gives what was found, and the scanner's own report.
 * Throws `scanner-failed` with the last lines of what it said.
 */
export async function runScanner(
  { name }: Scanner,
  archive: string,
  { env, signal }: ScannerContext,
): Promise<{ vulnerabilities: Vulnerability[]; report: unknown }> {
  const { scanArgs, parse } = KNOWN[name];
  const file = `${archive}.report.json`;
  const result = await execa(name, scanArgs(archive, file), {
    ...{ env, extendEnv: false, reject: false, stdin: "ignore", all: true, cancelSignal: signal },
  });
  signal.throwIfAborted();
  const failed = (why: string) =>
    new DrybagError("scanner-failed", `${name} ${why}.`, {
      detail: result.all?.trim().split("\n").slice(-8).join("\n") ?? "",
      hint: "It needs its database, which it fetches over the network at its first run.",
    });
  if (result.exitCode !== 0) throw failed(`failed with exit code ${result.exitCode}`);
  const text = await readFile(file, "utf8").catch(() => "");
  try {
    return { vulnerabilities: parse(text), report: JSON.parse(text) };
  } catch {
    throw failed("gave no report that can be read");
  }
}
