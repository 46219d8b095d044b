import type { Finding } from "@drybag/errors";

/** When this check was written: no clock that is right shows less. */
const EARLIEST_MS = Date.UTC(2025, 0, 1);
/** Clocks differ, and a bundle may be installed minutes after it was packed elsewhere. */
const TOLERANCE_MS = 24 * 60 * 60_000;

/**
 * Whether this server's clock can be right: not before there was a Drybag, not before what happened here already, not before the time
 * that the bundle was given. A server without a network often has lost its time, and certificates, tokens and logs go wrong with it.
 */
export function checkClock(nowMs: number, earlier: { bundleMs: number; journalMs: number }): Finding[] {
  const reasons: [earliestMs: number, why: string][] = [
    [EARLIEST_MS, "that is before Drybag was made"],
    [earlier.bundleMs - TOLERANCE_MS, "the bundle is from later"],
    [earlier.journalMs - TOLERANCE_MS, "something was installed here later"],
  ];
  const wrong = reasons.find(([earliestMs]) => nowMs < earliestMs);
  if (!wrong) return [];
  return [
    {
      code: "clock-wrong",
      severity: "warning",
      message: `The clock of this server says ${new Date(nowMs).toISOString().slice(0, 16).replace("T", " ")} UTC; ${wrong[1]}.`,
      remedy: "Set it ('timedatectl set-time', or 'date -s'): certificates, sessions and logs depend on it.",
    },
  ];
}
