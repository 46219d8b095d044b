import { type DockerContext, lastLines } from "@drybag/docker";
import { DrybagError } from "@drybag/errors";
import { formatDuration } from "@drybag/terminal";
import { diagnose } from "../health/diagnose.ts";
import { describeFailure, explainFailure } from "../health/explain-failure.ts";
import type { StartResult } from "./start-release.ts";

/** Why a release did not become healthy, with what its services say. */
export async function startFailed(
  docker: DockerContext,
  result: StartResult,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<DrybagError> {
  const services = await explainFailure(docker, result.services, signal);
  const said = describeFailure(services);
  const names = services.map(({ name }) => name).join(", ");
  if (result.outcome === "timeout") {
    return new DrybagError("unhealthy", `Not healthy after ${formatDuration(timeoutMs)}: ${names}.`, {
      detail: said,
    });
  }
  const someFailed = result.services.some(({ outcome }) => outcome === "failed");
  if (someFailed || result.outcome === "unhealthy") {
    return new DrybagError("unhealthy", `Not healthy: ${names}.`, { detail: said });
  }
  const likely = diagnose(result.composeSaid);
  return new DrybagError("up-failed", "Docker Compose could not start the stack.", {
    detail: [
      lastLines(result.composeSaid, 6),
      ...(likely ? [`likely: ${likely.cause}`, likely.remedy] : []),
      said,
    ].join("\n"),
  });
}
