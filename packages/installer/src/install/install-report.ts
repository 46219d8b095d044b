import type { ContainerFacts, EngineFacts, ImageStore } from "@drybag/docker";
import type { Finding } from "@drybag/errors";
import type { Manifest } from "@drybag/format";
import type { CheckResult } from "../checks/watch-checks.ts";
import { expectedWord, type JudgedService } from "../health/judge-services.ts";
import { expectedImageId } from "../images/image-state.ts";
import type { LoadPlan } from "../images/plan-load.ts";
import type { TaskResult } from "../tasks/run-task.ts";
import type { SignerVerdict } from "../trust/judge-signer.ts";
import { changesSince, type ReleaseChanges } from "./changes-since.ts";
import type { Operator } from "./operator.ts";

/** What one install did: printed, and kept in the release folder. */
export interface InstallReport {
  reportVersion: 1;
  name: string;
  version: string;
  release: string;
  folder: string;
  previousRelease: string | null;
  manifestSha256: string;
  /** Fingerprint of the key that signed the bundle, and whether it is the one before. */
  signer: string | null;
  trust: SignerVerdict["trust"];
  startedAt: string;
  endedAt: string;
  /** `unchanged`: all ran already as it should. */
  outcome: { state: "healthy" | "unchanged" } | { state: "failed"; code: string; message: string };
  operator: Operator;
  /** What the bundle differs in from the release before; null on a first install. */
  changes: ReleaseChanges | null;
  /** By stage, in milliseconds. */
  durationsMs: Record<string, number>;
  host: { name: string; engine: string; compose: string | null; imageStore: ImageStore };
  /** What was read from the stick and agreed with the manifest. */
  verified: { entries: number; images: number };
  images: { tag: string; id: string; loaded: boolean }[];
  /** False where everything ran already as it should. */
  started: boolean;
  services: { name: string; state: string; expected: string; containers: string[]; ports: string[] }[];
  /** Name of the backup that the release before left behind. */
  backup: string | null;
  tasks: TaskResult[];
  checks: { name: string; state: string }[];
  findings: Finding[];
}

/** All that is known before the stack is started. */
export interface ReportInput {
  manifest: Manifest;
  previous: Manifest | undefined;
  operator: Operator;
  manifestSha256: string;
  signer: SignerVerdict;
  projectName: string;
  release: string;
  folder: string;
  previousRelease: string | null;
  startedAt: Date;
  durationsMs: Record<string, number>;
  engine: EngineFacts;
  composeVersion: string | undefined;
  load: LoadPlan;
}

export function buildReport(
  input: ReportInput,
  result: {
    outcome: InstallReport["outcome"];
    services: readonly JudgedService[];
    backup: string | null;
    tasks: readonly TaskResult[];
    checks: readonly CheckResult[];
    findings: readonly Finding[];
  },
): InstallReport {
  const { manifest, engine, load, previous } = input;
  const { outcome, services, backup, tasks, checks, findings } = result;
  const loaded = new Set(load.images.map(({ tag }) => tag));
  return {
    reportVersion: 1,
    name: input.projectName,
    version: manifest.version,
    release: input.release,
    folder: input.folder,
    previousRelease: input.previousRelease,
    manifestSha256: input.manifestSha256,
    signer: input.signer.signer?.fingerprint ?? null,
    trust: input.signer.trust,
    startedAt: input.startedAt.toISOString(),
    endedAt: new Date().toISOString(),
    outcome,
    operator: input.operator,
    changes: previous ? changesSince(previous, manifest) : null,
    durationsMs: input.durationsMs,
    host: {
      name: input.operator.host,
      engine: engine.version,
      compose: input.composeVersion ?? null,
      imageStore: engine.imageStore,
    },
    verified: { entries: manifest.entries.length, images: manifest.images.length },
    images: manifest.images.map((image) => ({
      tag: image.tag,
      id: expectedImageId(image, engine.imageStore),
      loaded: loaded.has(image.tag),
    })),
    started: outcome.state === "healthy",
    services: services.map(reportService),
    backup,
    tasks: [...tasks],
    checks: checks.map(({ check, state }) => ({ name: check.name, state })),
    findings: [...findings],
  };
}

function reportService({ expected, state, containers }: JudgedService): InstallReport["services"][number] {
  return {
    name: expected.name,
    state,
    expected: expectedWord(expected, containers),
    containers: containers.map(({ container }) => container.name),
    ports: [...new Set(containers.flatMap(({ container }) => publishedPorts(container)))],
  };
}

/** `8080->80/tcp`; with the address in front where it is a certain one. IPv4 and IPv6 of one port are one. */
export function publishedPorts({ ports }: ContainerFacts): string[] {
  const shown = ports.map(({ hostIp, hostPort, containerPort, protocol }) => {
    const anywhere = hostIp === "0.0.0.0" || hostIp === "::" || hostIp === "";
    const address = anywhere ? "" : `${hostIp.includes(":") ? `[${hostIp}]` : hostIp}:`;
    return `${address}${hostPort}->${containerPort}/${protocol}`;
  });
  return [...new Set(shown)];
}
