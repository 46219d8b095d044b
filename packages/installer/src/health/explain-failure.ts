import { type DockerContext, lastLines, readContainerLog } from "@drybag/docker";
import { diagnose } from "./diagnose.ts";
import type { JudgedContainer, JudgedService } from "./judge-services.ts";

const LOG_LINES = 20;

export interface FailedService {
  name: string;
  state: string;
  detail: string | undefined;
  /** The last lines that it wrote. */
  log: string;
  cause: string | undefined;
  remedy: string | undefined;
}

/** What the failing services say about themselves: those that failed, else those that never became what they should. */
export async function explainFailure(
  docker: DockerContext,
  services: readonly JudgedService[],
  signal: AbortSignal,
): Promise<FailedService[]> {
  const failed = services.filter(({ outcome }) => outcome === "failed");
  const toExplain = failed.length > 0 ? failed : services.filter(({ outcome }) => outcome !== "good");
  return Promise.all(toExplain.map((service) => explainService(docker, service, signal)));
}

async function explainService(
  docker: DockerContext,
  service: JudgedService,
  signal: AbortSignal,
): Promise<FailedService> {
  const { expected, state, detail, containers } = service;
  const worst = containers.find(({ verdict }) => verdict.outcome !== "good");
  const log = worst ? await readLog(docker, worst, signal) : "";
  const { cause, remedy } = diagnose([detail, worst?.container.error, log].filter(Boolean).join("\n")) ?? {};
  return { name: expected.name, state, detail, log, cause, remedy };
}

async function readLog(docker: DockerContext, { container }: JudgedContainer, signal: AbortSignal) {
  return lastLines(await readContainerLog(docker, container.id, LOG_LINES, { signal }), LOG_LINES);
}

/** As lines below an error's message. */
export function describeFailure(services: readonly FailedService[]): string {
  return services
    .map(({ name, state, detail, log, cause, remedy }) => {
      const head = `${name}: ${state}${detail ? ` (${detail})` : ""}`;
      const lines = log === "" ? [] : log.split("\n").map((line) => `  | ${line}`);
      const likely = cause ? [`  likely: ${cause}`, ...(remedy ? [`  ${remedy}`] : [])] : [];
      return [head, ...lines, ...likely].join("\n");
    })
    .join("\n");
}
