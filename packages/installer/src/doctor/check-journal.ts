import type { Finding } from "@drybag/errors";
import { committedReleases, type JournalLine, unsettledLoad } from "../site/journal.ts";

const SAME_COMMAND = "Run the command that was cut off once more: it finishes, or puts back what it changed.";

/** Whether the last thing that was begun here came to an end, and whether `current` is what it left. Pure. */
export function checkJournal(lines: readonly JournalLine[], current: string): Finding[] {
  const findings: Finding[] = [];
  const unfinished = unfinishedStep(lines);
  if (unfinished) {
    const what = unfinished.step === "rollback-started" ? "A rollback to" : "An install of";
    findings.push({
      code: "install-unfinished",
      severity: "warning",
      message: `${what} ${unfinished.release}, begun ${unfinished.time}, did not come to its end.`,
      remedy: SAME_COMMAND,
    });
  }
  const tags = unsettledLoad(lines).tags.map(({ tag }) => tag);
  if (tags.length > 0) {
    findings.push({
      code: "tags-unsettled",
      severity: "warning",
      message: `A load was cut off; ${tags.join(", ")} may name other images than before.`,
      remedy: SAME_COMMAND,
    });
  }
  const last = committedReleases(lines).at(-1);
  if (last !== undefined && last !== current) {
    findings.push({
      code: "current-differs",
      severity: "warning",
      message: `The link 'current' leads to ${current}; what was installed last is ${last}.`,
      remedy: `Somebody changed the link, or an install was cut off. Install ${last} again, or go to the release you want with 'rollback --to'.`,
    });
  }
  return findings;
}

function unfinishedStep(
  lines: readonly JournalLine[],
): Extract<JournalLine, { step: "install-started" | "rollback-started" }> | undefined {
  let begun: ReturnType<typeof unfinishedStep>;
  for (const line of lines) {
    switch (line.step) {
      case "install-started":
      case "rollback-started":
        begun = line;
        break;
      case "committed":
      case "install-failed":
      case "tags-restored":
      case "uninstalled":
        begun = undefined;
    }
  }
  return begun;
}
