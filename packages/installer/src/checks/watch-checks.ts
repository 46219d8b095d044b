import { setTimeout as sleep } from "node:timers/promises";
import { type DockerContext, listProjectContainers } from "@drybag/docker";
import type { Check } from "@drybag/format";
import type { ServiceLine } from "@drybag/terminal";
import type { ExpectedService } from "../health/expected-state.ts";
import { type JudgedService, judgeServices } from "../health/judge-services.ts";
import { Observer } from "../health/observer.ts";
import { createRedactor } from "../tasks/redact.ts";
import type { SiteValues } from "../tasks/site-values.ts";
import { type Attempt, attemptCheck } from "./check-attempt.ts";

export interface CheckResult extends Attempt {
  check: Check;
  /** undefined while it is still tried. */
  decided: boolean;
}

export interface WatchChecksOptions {
  docker: DockerContext;
  engineIsLocal: boolean;
  projectName: string;
  checks: readonly Check[];
  expected: readonly ExpectedService[];
  values: SiteValues;
  signal: AbortSignal;
  /** Tries each once, and waits for nothing. */
  once?: boolean;
  onLook?(services: JudgedService[], results: CheckResult[]): void;
}

const POLL_MS = 1000;
const ATTEMPT_TIMEOUT_MS = 15_000;

export interface ChecksOutcome {
  outcome: "good" | "failed" | "services-failed";
  services: JudgedService[];
  results: CheckResult[];
}

/**
 * Tries all checks until they are good or their times are over, and watches the services meanwhile: one that fails ends it. What a
 * check has seen is given without the site's secrets.
 */
export async function watchChecks(options: WatchChecksOptions): Promise<ChecksOutcome> {
  const { docker, engineIsLocal, projectName, checks, expected, values, signal, onLook } = options;
  const observer = new Observer({ sharesClock: engineIsLocal });
  const redact = createRedactor(values.secrets);
  const startedMs = performance.now();
  const results = checks.map(
    (check): CheckResult => ({ check, ok: false, state: "waiting", decided: false }),
  );
  for (;;) {
    const containers = await listProjectContainers(docker, projectName, { signal });
    const services = judgeServices(expected, containers, (each) => observer.observe(each));
    onLook?.(services, results);
    if (services.some(({ outcome }) => outcome === "failed") && !options.once)
      return { outcome: "services-failed", services, results };
    await Promise.all(
      results.map(async (result, index) => {
        if (result.decided) return;
        const { timeoutSeconds } = result.check;
        const around = { docker, engineIsLocal, settings: values.settings, containers, signal };
        const timeoutMs = Math.min(ATTEMPT_TIMEOUT_MS, timeoutSeconds * 1000);
        const attempt = await attemptCheck(result.check, { ...around, timeoutMs });
        const isOver = options.once === true || performance.now() - startedMs > timeoutSeconds * 1000;
        results[index] = {
          check: result.check,
          ...attempt,
          ...(attempt.detail !== undefined && { detail: redact(attempt.detail) }),
          decided: attempt.ok || isOver,
        };
      }),
    );
    onLook?.(services, results);
    if (results.every(({ decided }) => decided)) {
      return { outcome: results.every(({ ok }) => ok) ? "good" : "failed", services, results };
    }
    if (results.some(({ decided, ok }) => decided && !ok)) return { outcome: "failed", services, results };
    await sleep(POLL_MS, undefined, { signal });
  }
}

/** For the live table and for reports. */
export function checkLine({ check, ok, state, detail, decided }: CheckResult): ServiceLine {
  return {
    name: `check ${check.name}`,
    state,
    expected: expectationOf(check),
    ok: decided ? ok : undefined,
    detail: ok ? undefined : detail,
  };
}

function expectationOf(check: Check): string {
  switch (check.kind) {
    case "http":
      return String(check.status);
    case "tcp":
      return "open";
    case "exec":
      return "exit code 0";
    case "log":
      return "found";
  }
}
