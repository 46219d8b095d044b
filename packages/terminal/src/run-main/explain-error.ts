import { inspect } from "node:util";
import { DrybagError, EXIT, type ExitCode, isDrybagError } from "@drybag/errors";
import { printable } from "../printable.ts";
import { hintLines } from "../warning-lines.ts";

export interface ErrorSurroundings {
  /** The program's name. */
  name: string;
  /** Whether a signal had asked it to stop. */
  aborted: boolean;
  debug: boolean;
  unicode: boolean;
}

export interface ExplainedError {
  exitCode: ExitCode;
  /** For a person. */
  lines: string[];
  /** For a program: `--json`. */
  json: { error: { code: string; message: string; hint?: string; detail?: string } };
}

/** What is said about an error that reached the top, and the exit code that goes with it. */
export function explainError(thrown: unknown, surroundings: ErrorSurroundings): ExplainedError {
  const error = knownError(thrown, surroundings.aborted);
  const explained = error ? explainKnown(error, surroundings) : explainDefect(thrown, surroundings);
  if (surroundings.debug) explained.lines.push(inspect(thrown));
  return explained;
}

function knownError(thrown: unknown, aborted: boolean): DrybagError | undefined {
  if (isAbortError(thrown)) return new DrybagError("interrupted", "interrupted");
  if (aborted) return interruptedBy(thrown);
  if (isDrybagError(thrown)) return thrown;
  return fromErrno(thrown);
}

function isAbortError(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.name === "AbortError";
}

/** After a signal, whatever ends the run is an interruption; what a person has to know of it is kept. */
function interruptedBy(thrown: unknown): DrybagError {
  if (isDrybagError(thrown, "interrupted")) return thrown;
  // A program that was stopped together with us, as execa tells it.
  if (thrown instanceof Error && "isCanceled" in thrown && thrown.isCanceled) {
    return new DrybagError("interrupted", "interrupted");
  }
  const { message, hint, detail } = isDrybagError(thrown)
    ? thrown
    : { message: String(thrown), hint: undefined, detail: undefined };
  return new DrybagError("interrupted", "interrupted", {
    detail: [message, detail].filter(Boolean).join("\n"),
    ...(hint === undefined ? {} : { hint }),
  });
}

/** Errors of the system that are nobody's defect, and that any read or write can meet. */
function fromErrno(thrown: unknown): DrybagError | undefined {
  if (!(thrown instanceof Error && "code" in thrown)) return undefined;
  const place = "path" in thrown ? `: ${thrown.path}` : "";
  switch (thrown.code) {
    case "ENOSPC":
    case "EDQUOT":
      return new DrybagError("disk-full", `no space left on the device${place}`, {
        hint: "Make room there, then run the same command again.",
        cause: thrown,
      });
    case "EROFS":
      return new DrybagError("not-writable", `the file system is read-only${place}`, {
        hint: "Mount it for writing, or choose another folder.",
        cause: thrown,
      });
    case "EACCES":
    case "EPERM":
      return new DrybagError("permission-denied", `this user may not do that (${thrown.code})${place}`, {
        hint: "Run the same command as root (sudo), or as the user whose file it is.",
        cause: thrown,
      });
    default:
      return undefined;
  }
}

function explainKnown(error: DrybagError, { name, unicode }: ErrorSurroundings): ExplainedError {
  const { code, message, hint, detail, exitCode } = error;
  const [first = "", ...rest] = printable(message).split("\n");
  const plain = code === "usage" || code === "interrupted";
  const lines = [plain ? `${name}: ${first}` : `error: ${first} [${code}]`];
  for (const line of [...rest, ...(detail === undefined ? [] : printable(detail).trimEnd().split("\n"))])
    lines.push(`  ${line}`.trimEnd());
  if (hint) lines.push(...(code === "usage" ? printable(hint).split("\n") : hintLines(hint, unicode)));
  const optional = { ...(hint === undefined ? {} : { hint }), ...(detail === undefined ? {} : { detail }) };
  return { exitCode, lines, json: { error: { code, message, ...optional } } };
}

function explainDefect(thrown: unknown, { name, debug }: ErrorSurroundings): ExplainedError {
  const message =
    (thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown)).split("\n")[0] ?? "";
  const hint = debug ? "this is a defect" : "this is a defect; run with --debug for the trace";
  return {
    exitCode: EXIT.internal,
    lines: [`${name}: ${printable(message)}`, hint],
    json: { error: { code: "internal", message, hint } },
  };
}
