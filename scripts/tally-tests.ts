/**
 * `node scripts/tally-tests.ts REPORT EXIT-CODE` prints `passed failed skipped` of a vitest run, from its JSON report. A run that
 * failed says so in the count, also where no test did: a file that could not be loaded, a hook that failed, a runner that
 * crashed before it wrote a report.
 */
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

interface Report {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
  testResults: { status: string; assertionResults: { status: string }[] }[];
}

export interface Tally {
  passed: number;
  failed: number;
  skipped: number;
}

export function tallyTests(reportText: string | undefined, exitCode: number): Tally {
  const report = parse(reportText);
  if (!report) return { passed: 0, failed: 1, skipped: 0 };
  const brokenFiles = report.testResults.filter(
    ({ status, assertionResults }) =>
      status === "failed" && !assertionResults.some((each) => each.status === "failed"),
  ).length;
  const failed = report.numFailedTests + brokenFiles;
  const nothingRan = report.numPassedTests + failed === 0;
  return {
    passed: report.numPassedTests,
    failed: failed === 0 && (exitCode !== 0 || nothingRan) ? 1 : failed,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

function parse(text: string | undefined): Report | undefined {
  try {
    return text === undefined ? undefined : (JSON.parse(text) as Report);
  } catch {
    return undefined;
  }
}

function readReport(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

const [, self = "", file = "", exitCode = "1"] = process.argv;
if (import.meta.url === pathToFileURL(self).href) {
  const { passed, failed, skipped } = tallyTests(readReport(file), Number(exitCode));
  console.log(`${passed} ${failed} ${skipped}`);
}
