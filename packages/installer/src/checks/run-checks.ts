import type { Manifest } from "@drybag/format";
import type { ServiceLine } from "@drybag/terminal";
import { serviceLine } from "../health/judge-services.ts";
import {
  type CheckResult,
  type ChecksOutcome,
  checkLine,
  type WatchChecksOptions,
  watchChecks,
} from "./watch-checks.ts";

/** Watches the checks of a release, and shows them in the live table below the services. */
export async function runChecks(
  options: Omit<WatchChecksOptions, "checks" | "onLook"> & {
    manifest: Manifest;
    show(lines: ServiceLine[]): void;
  },
): Promise<ChecksOutcome> {
  const { manifest, show } = options;
  return watchChecks({
    ...options,
    checks: manifest.checks ?? [],
    onLook: (services, results) => show([...services.map(serviceLine), ...results.map(checkLine)]),
  });
}

/** What failed checks have seen, as lines below an error's message. */
export function describeFailedChecks(results: readonly CheckResult[]): string {
  return results
    .filter(({ ok }) => !ok)
    .map(({ check, state, detail }) => `check ${check.name}: ${state}${detail ? ` (${detail})` : ""}`)
    .join("\n");
}
