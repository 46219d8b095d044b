import path from "node:path";
import type { Finding } from "@drybag/errors";

export interface FindingCounts {
  error: number;
  warning: number;
  info: number;
}

export function countFindings(findings: readonly Finding[]): FindingCounts {
  const count = (severity: Finding["severity"]) =>
    findings.filter((finding) => finding.severity === severity).length;
  return { error: count("error"), warning: count("warning"), info: count("info") };
}

/**
 * Findings for people: `file:line:column: severity: message [code]`, as compilers write it, and the remedy below.
 * Files are shown relative to `cwd`; remedies are wrapped to `width`, where there is one.
 */
export function findingLines(findings: readonly Finding[], cwd: string, width?: number): string[] {
  const lines = findings.flatMap(({ severity, message, code, remedy, position }) => {
    const place = position ? `${shown(position.file, cwd)}:${position.line}:${position.column}: ` : "";
    return [
      ...wrapped(`${place}${severity}: ${message} [${code}]`, "  ", width).map((line, index) =>
        index === 0 ? line : `  ${line}`,
      ),
      ...wrapped(remedy ?? "", "    ", width).map((line) => `    ${line}`),
    ];
  });
  return [...lines, countLine(countFindings(findings))];
}

function shown(file: string, cwd: string): string {
  const relative = path.relative(cwd, file);
  return relative.startsWith("..") && relative.length > file.length ? file : relative;
}

function countLine({ error, warning, info }: FindingCounts): string {
  if (error + warning + info === 0) return "Nothing found.";
  return `${counted(error, "error")}, ${counted(warning, "warning")}, ${info} for information.`;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

/** Breaks at spaces; a word that is too long stays whole. */
function wrapped(text: string, indent: string, width: number | undefined): string[] {
  if (text === "") return [];
  const limit = width === undefined ? Number.POSITIVE_INFINITY : Math.max(20, width - indent.length);
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > limit) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
