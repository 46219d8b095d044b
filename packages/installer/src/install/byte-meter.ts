import type { StageReport } from "@drybag/terminal";

/** Counts what was read of the stick over the whole install, and tells whichever stage is interested. */
export class ByteMeter {
  readonly totalBytes: number;
  #doneBytes = 0;
  #report: StageReport | undefined;

  constructor(totalBytes: number) {
    this.totalBytes = totalBytes;
  }

  add(bytes: number): void {
    this.#doneBytes += bytes;
    this.#report?.bytes(this.#doneBytes, this.totalBytes);
  }

  /** For a second pass. */
  restart(): void {
    this.#doneBytes = 0;
  }

  showIn(report: StageReport): void {
    this.#report = report;
  }
}
