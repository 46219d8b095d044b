/** Every way a lab can fail that a person can do something about. Listed in docs/lab.md. */
export type LabErrorCode =
  | "lab-usage"
  | "lab-requirement"
  | "lab-packages"
  | "lab-conflict"
  | "lab-start"
  | "lab-stop"
  | "lab-not-up"
  | "lab-publish";

/** The one error class of the lab: one line for people, a hint with the remedy, the cause for the log. */
export class LabError extends Error {
  readonly code: LabErrorCode;
  readonly hint: string | undefined;

  constructor(code: LabErrorCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = "LabError";
    this.code = code;
    this.hint = options.hint;
  }
}
