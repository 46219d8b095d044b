/** One thing that a check (lint, preflight, verify) has to say. Checks return all of theirs at once. */
export interface Finding {
  code: string;
  severity: "error" | "warning" | "info";
  message: string;
  /** What to do about it. */
  remedy?: string;
  position?: { file: string; line: number; column: number };
}
