import type { Finding } from "@drybag/errors";
import { compareVersions } from "@drybag/format";

/** Whether a bundle is older than the release that runs: what the newer one has made of its data may be too new for it. */
export function checkOlder(version: string, current: string | undefined): Finding[] {
  if (current === undefined || compareVersions(version, current) >= 0) return [];
  return [
    {
      code: "release-older",
      severity: "warning",
      message: `Version ${version} is older than ${current}, which runs now.`,
      remedy:
        "Data that the newer version has changed may not fit the older one: have a backup before you go on.",
    },
  ];
}

/** A task that would run before an upgrade, and that somebody chose to leave out. */
export function skippedTask(name: string): Finding {
  return {
    code: "task-skipped",
    severity: "warning",
    message: `The task ${name}, which comes before an upgrade, does not run.`,
    remedy: "What it does is left to you: the release that runs was made to have it done first.",
  };
}
