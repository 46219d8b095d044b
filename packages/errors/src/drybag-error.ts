import { ERROR_EXIT_CODES, type ErrorCode, type ExitCode } from "./codes.ts";

export interface DrybagErrorOptions {
  /** What the person can do about it, one or two short lines. */
  hint?: string;
  cause?: unknown;
  /** Further lines worth seeing, e.g. what Docker said. Printed below the message, indented. */
  detail?: string;
}

/** The one error that operations throw on purpose. Anything else that reaches the top is a defect of ours. */
export class DrybagError extends Error {
  override readonly name = "DrybagError";
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly detail: string | undefined;

  constructor(code: ErrorCode, message: string, options: DrybagErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.detail = options.detail;
  }

  get exitCode(): ExitCode {
    return ERROR_EXIT_CODES[this.code];
  }
}

/** Whether an error is ours and, if codes are given, is one of these. */
export function isDrybagError(error: unknown, ...codes: ErrorCode[]): error is DrybagError {
  return error instanceof DrybagError && (codes.length === 0 || codes.includes(error.code));
}
