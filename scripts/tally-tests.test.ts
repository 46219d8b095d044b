import { expect, test } from "vitest";
import { tallyTests } from "./tally-tests.ts";

function report(passed: number, failed: number, skipped: number, files: [string, string[]][]): string {
  return JSON.stringify({
    numPassedTests: passed,
    numFailedTests: failed,
    numPendingTests: skipped,
    numTodoTests: 0,
    testResults: files.map(([status, tests]) => ({
      status,
      assertionResults: tests.map((each) => ({ status: each })),
    })),
  });
}

test.each([
  ["all is well", report(2, 0, 1, [["passed", ["passed", "passed", "skipped"]]]), 0, [2, 0, 1]],
  ["a test fails", report(1, 1, 0, [["failed", ["passed", "failed"]]]), 1, [1, 1, 0]],
  [
    "a file cannot be loaded",
    report(1, 0, 0, [
      ["passed", ["passed"]],
      ["failed", []],
    ]),
    1,
    [1, 1, 0],
  ],
  [
    "a hook fails, and its tests are skipped",
    report(0, 0, 2, [["failed", ["skipped", "skipped"]]]),
    1,
    [0, 1, 2],
  ],
  ["the tests pass, but the run fails", report(1, 0, 0, [["passed", ["passed"]]]), 1, [1, 1, 0]],
  ["nothing ran", report(0, 0, 0, []), 0, [0, 1, 0]],
  ["the report was cut short", '{"numPassedTests":', 1, [0, 1, 0]],
  ["there is no report", undefined, 139, [0, 1, 0]],
])("%s", (_case, text, exitCode, [passed, failed, skipped]) => {
  expect(tallyTests(text, exitCode)).toEqual({ passed, failed, skipped });
});
