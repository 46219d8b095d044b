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
