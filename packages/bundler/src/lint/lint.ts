import type { Finding } from "@drybag/errors";
import type { LintProject } from "./lint-project.ts";
import { RULES } from "./rules.ts";

/** All that the rules find in a project, sorted by file and place; what has no place comes last. */
export function lint(project: LintProject): Finding[] {
  return sorted(withoutRepeats(RULES.flatMap((rule) => rule.check(project))));
}

/** A password that is written down and easy to guess is said to be the latter, which is worse. */
function withoutRepeats(findings: readonly Finding[]): Finding[] {
  const guessable = new Set(
    findings
      .filter(({ code }) => code === "default-password")
      .map(({ position }) => JSON.stringify(position)),
  );
  return findings.filter(
    ({ code, position }) =>
      !["secret-in-file", "credentials-in-url"].includes(code) || !guessable.has(JSON.stringify(position)),
  );
}

/** What can be said about files that Compose does not accept as a project. */
export function lintFilesOnly(project: LintProject): Finding[] {
  return sorted(RULES.filter((rule) => rule.readsFilesOnly).flatMap((rule) => rule.check(project)));
}

export function sorted(findings: readonly Finding[]): Finding[] {
  const unique = new Map(findings.map((finding) => [JSON.stringify(finding), finding]));
  return [...unique.values()].sort(byPlace);
}

function byPlace(a: Finding, b: Finding): number {
  const [left, right] = [a.position, b.position];
  if (left === undefined || right === undefined) {
    return Number(left === undefined) - Number(right === undefined) || compare(a.code, b.code);
  }
  return (
    compare(left.file, right.file) ||
    left.line - right.line ||
    left.column - right.column ||
    compare(a.code, b.code) ||
    compare(a.message, b.message)
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
