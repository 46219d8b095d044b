import type { ContainerFacts } from "@drybag/docker";
import type { Finding } from "@drybag/errors";
import type { ServiceLine } from "@drybag/terminal";
import type { ExpectedService } from "./expected-state.ts";
import { judgeContainer, type Observation, type Verdict } from "./judge-container.ts";

export interface JudgedContainer {
  container: ContainerFacts;
  verdict: Verdict;
}

export interface JudgedService {
  expected: ExpectedService;
  containers: JudgedContainer[];
  outcome: Verdict["outcome"];
  state: string;
  detail: string | undefined;
}

/** All services at one look. */
export function judgeServices(
  expected: readonly ExpectedService[],
  containers: readonly ContainerFacts[],
  observe: (container: ContainerFacts) => Observation,
  settleMs?: number,
): JudgedService[] {
  return expected.map((service) => {
    const judged = containers
      .filter((container) => container.service === service.name)
      .map((container) => ({
        container,
        verdict: judgeContainer(service, container, observe(container), settleMs),
      }));
    return { expected: service, containers: judged, ...summarize(service, judged) };
  });
}

/** A service is as well as the worst of its containers. */
function summarize(
  { replicas }: ExpectedService,
  judged: readonly JudgedContainer[],
): Pick<JudgedService, "outcome" | "state" | "detail"> {
  const worst = [...judged].sort((a, b) => rank(a.verdict) - rank(b.verdict))[0]?.verdict;
  const count = judged.length;
  if (count < replicas && worst?.outcome !== "failed") {
    const state = count === 0 ? "no container" : `${count} of ${replicas}`;
    return { outcome: "waiting", state, detail: worst?.detail };
  }
  if (!worst) return { outcome: "good", state: "no replicas", detail: undefined };
  const state = replicas > 1 ? `${worst.state} (${replicas})` : worst.state;
  return { outcome: worst.outcome, state, detail: worst.detail };
}

function rank({ outcome }: Verdict): number {
  return { failed: 0, waiting: 1, good: 2 }[outcome];
}

/** For the live table and for reports. */
export function serviceLine({ expected, containers, outcome, state, detail }: JudgedService): ServiceLine {
  return {
    name: expected.name,
    state,
    expected: expectedWord(expected, containers),
    ok: outcome === "waiting" ? undefined : outcome === "good",
    detail,
  };
}

/** What is awaited of a service, in a word: that it is healthy where its container can tell. */
export function expectedWord({ state }: ExpectedService, containers: readonly JudgedContainer[]): string {
  if (state === "done") return "exits 0";
  return containers.some(({ container }) => container.health !== "none") ? "healthy" : "running";
}

/** Services that ended well although nothing says that they should. */
export function endedUnexpectedly(services: readonly JudgedService[]): Finding[] {
  return services
    .filter(({ containers }) => containers.some(({ verdict }) => verdict.endedUnexpectedly))
    .map(({ expected }) => ({
      code: "service-ended",
      severity: "warning",
      message: `${expected.name} has ended with exit code 0, and nothing says that it should.`,
      remedy: `If it is meant to run once, write restart: "no" for it in the Compose file; if it is meant to stay up, its log tells why it ended.`,
    }));
}
