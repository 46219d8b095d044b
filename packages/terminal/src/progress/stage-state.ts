import { formatBytes } from "../format-bytes.ts";
import { formatDuration } from "../format-duration.ts";
import type { ProgressEvent } from "../progress.ts";
import { ByteRate } from "./byte-rate.ts";

type StageProgress = Extract<ProgressEvent, { type: "stage-progress" }>;

/** What is known about a running stage, put together from its progress events. */
export class StageState {
  readonly title: string;
  message: string | undefined;
  #doneBytes: number | undefined;
  #totalBytes: number | undefined;
  readonly #rate = new ByteRate();
  readonly #now: () => number;

  constructor(title: string, now: () => number) {
    this.title = title;
    this.#now = now;
  }

  update(event: StageProgress): void {
    if (event.message !== undefined) this.message = event.message;
    if (event.totalBytes !== undefined) this.#totalBytes = event.totalBytes;
    if (event.doneBytes === undefined) return;
    this.#doneBytes = event.doneBytes;
    this.#rate.add(this.#now(), event.doneBytes);
  }

  /** Done, between 0 and 1, where the total is known. */
  get fraction(): number | undefined {
    if (this.#doneBytes === undefined || !this.#totalBytes) return undefined;
    return Math.min(1, this.#doneBytes / this.#totalBytes);
  }

  /** `1.2 GiB of 3.4 GiB, 35 %, 210 MiB/s, 11 s left`, as much of it as is known. */
  get bytesLine(): string | undefined {
    if (this.#doneBytes === undefined) return undefined;
    const { fraction } = this;
    const rate = this.#rate.bytesPerSecond(this.#now(), this.#doneBytes);
    const words = [formatBytes(this.#doneBytes)];
    if (fraction !== undefined && this.#totalBytes !== undefined) {
      words[0] += ` of ${formatBytes(this.#totalBytes)}`;
      words.push(`${Math.floor(fraction * 100)} %`);
    }
    if (rate !== undefined) words.push(`${formatBytes(rate)}/s`);
    const remainingBytes = (this.#totalBytes ?? 0) - this.#doneBytes;
    if (rate && remainingBytes > 0) words.push(`${remaining(remainingBytes / rate)} left`);
    return words.join(", ");
  }
}

function remaining(seconds: number): string {
  if (seconds > 24 * 3600) return "more than a day";
  return formatDuration(Math.max(1, Math.ceil(seconds)) * 1000).replace(".0", "");
}
