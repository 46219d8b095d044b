import { DrybagError, ERROR_EXIT_CODES, type ErrorCode, type Finding } from "@drybag/errors";
import type { Progress } from "@drybag/terminal";

/** Warnings are shown and pass; errors, all of them at once, end the install before anything was changed. */
export function refuseErrors(findings: readonly Finding[]): void {
  const errors = findings.filter(({ severity }) => severity === "error");
  const [first] = errors;
  if (!first) return;
  if (errors.length === 1) {
    throw new DrybagError(codeOf(first), first.message, {
      ...(first.remedy === undefined ? {} : { hint: first.remedy }),
    });
  }
  const sameCode = errors.every(({ code }) => code === first.code);
  throw new DrybagError(
    sameCode ? codeOf(first) : "preflight-failed",
    `${errors.length} things are in the way; nothing was changed.`,
    {
      detail: errors
        .map(({ message, remedy }) => `- ${message}${remedy ? `\n    ${remedy}` : ""}`)
        .join("\n"),
    },
  );
}

/** Findings that all have one code, and an exit code of its own, keep it. */
function codeOf({ code }: Finding): ErrorCode {
  return Object.hasOwn(ERROR_EXIT_CODES, code) ? (code as ErrorCode) : "preflight-failed";
}

export function showFindings(findings: readonly Finding[], progress: Progress): void {
  for (const { severity, code, message, remedy } of findings) {
    if (severity !== "error") progress.emit({ type: "warning", code, message, remedy });
  }
}
