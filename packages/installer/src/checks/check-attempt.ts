import { type ContainerFacts, type DockerContext, execInContainer, readContainerLog } from "@drybag/docker";
import { type Check, fillIn, matchInTime } from "@drybag/format";
import { askHttp, type HttpAnswer } from "./ask-http.ts";
import { type Connect, openConnections } from "./connect.ts";

/** What one try of a check came to. */
export interface Attempt {
  ok: boolean;
  /** In a word or two: `200 OK`, `refused`. */
  state: string;
  /** What was seen, where that is not enough. */
  detail?: string;
}

export interface AttemptSurroundings {
  docker: DockerContext;
  engineIsLocal: boolean;
  settings: ReadonlyMap<string, string>;
  /** Of the whole stack. */
  containers: readonly ContainerFacts[];
  /** Longest time that a try may take, in milliseconds. */
  timeoutMs: number;
  signal: AbortSignal;
}

/** Lines of a log that are looked at. */
const LOG_LINES = 10_000;

/** Tries a check once, on every running container of its service. Throws only where it was interrupted. */
export async function attemptCheck(check: Check, surroundings: AttemptSurroundings): Promise<Attempt> {
  const own = surroundings.containers.filter(
    ({ service, state }) => service === check.service && state === "running",
  );
  if (own.length === 0) return { ok: false, state: "no container", detail: `${check.service} does not run` };
  let last: Attempt = { ok: false, state: "not tried" };
  for (const container of own) {
    last = await attemptOn(container, check, surroundings);
    if (!last.ok) return last;
  }
  return last;
}

async function attemptOn(
  container: ContainerFacts,
  check: Check,
  surroundings: AttemptSurroundings,
): Promise<Attempt> {
  const { timeoutMs, signal } = surroundings;
  const limit = AbortSignal.timeout(timeoutMs);
  const limited = { ...surroundings, signal: AbortSignal.any([signal, limit]) };
  try {
    return await KINDS[check.kind](container, check as never, limited);
  } catch (error) {
    signal.throwIfAborted();
    if (limit.aborted) return { ok: false, state: "no answer", detail: `none within ${timeoutMs / 1000} s` };
    return { ok: false, state: "failed", detail: (error as Error).message };
  }
}

type Kind = Check["kind"];
type CheckOf<K extends Kind> = Extract<Check, { kind: K }>;

const KINDS: {
  [K in Kind]: (
    container: ContainerFacts,
    check: CheckOf<K>,
    around: AttemptSurroundings,
  ) => Promise<Attempt>;
} = {
  http: attemptHttp,
  tcp: attemptTcp,
  exec: attemptExec,
  log: attemptLog,
};

async function attemptHttp(
  container: ContainerFacts,
  check: CheckOf<"http">,
  surroundings: AttemptSurroundings,
): Promise<Attempt> {
  const { settings } = surroundings;
  const fill = (text: string) => fillIn(text, settings);
  const headers = Object.entries(check.headers ?? {}).map(([name, value]) => [name, fill(value)]);
  const request = {
    path: fill(check.path),
    headers: { ...Object.fromEntries(headers), Host: fill(check.host ?? check.service) },
  };
  return overConnection(container, check.port, surroundings, async (connection) =>
    judgeAnswer(check, await askHttp(connection, request, surroundings.signal)),
  );
}

/** Exported for its test. */
export function judgeAnswer(check: Pick<CheckOf<"http">, "status" | "body">, answer: HttpAnswer): Attempt {
  const state = `${answer.status} ${answer.statusText}`.trim();
  const seen = answer.body === "" ? "an empty body" : `body: ${firstBytes(answer.body)}`;
  if (answer.status !== check.status)
    return { ok: false, state, detail: `expected ${check.status}; ${seen}` };
  const found = check.body === undefined ? "match" : matchInTime(check.body, "um", [answer.body]);
  if (found !== "match")
    return { ok: false, state, detail: `the body ${NOT_FOUND[found]} ${check.body}; ${seen}` };
  return { ok: true, state };
}

const NOT_FOUND = { "no match": "does not match", unknown: "cannot be compared in time with" };

const SHOWN_BODY = 200;

function firstBytes(body: string): string {
  const line = body
    .slice(0, SHOWN_BODY * 2)
    .replace(/[\s\p{Cc}]+/gu, " ")
    .trim();
  return line.length > SHOWN_BODY ? `${line.slice(0, SHOWN_BODY)}…` : line;
}

async function attemptTcp(
  container: ContainerFacts,
  check: CheckOf<"tcp">,
  surroundings: AttemptSurroundings,
): Promise<Attempt> {
  return overConnection(container, check.port, surroundings, async (connection) => {
    await connection.open();
    return { ok: true, state: "open" };
  });
}

/** By the ways that lead to the port, until one of them leads somewhere. */
async function overConnection(
  container: ContainerFacts,
  port: number,
  surroundings: AttemptSurroundings,
  attempt: (connection: Connect) => Promise<Attempt>,
): Promise<Attempt> {
  let failure: Attempt = { ok: false, state: "unreachable" };
  for (const connection of openConnections(container, port, surroundings)) {
    try {
      return await attempt(connection);
    } catch (error) {
      surroundings.signal.throwIfAborted();
      const { code = "", message } = error as NodeJS.ErrnoException;
      failure = { ok: false, state: STATES[code] ?? "failed", detail: `${connection.name}: ${message}` };
      if (!UNREACHABLE.has(code)) return failure;
    } finally {
      connection.close();
    }
  }
  return failure;
}

const STATES: Record<string, string> = {
  ECONNREFUSED: "refused",
  ECONNRESET: "hung up",
  EPIPE: "hung up",
};
/** Nobody is at the address, or no way leads there: another way may. */
const UNREACHABLE: ReadonlySet<string> = new Set([
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ETIMEDOUT",
  "EADDRNOTAVAIL",
]);

async function attemptExec(
  container: ContainerFacts,
  { command, user }: CheckOf<"exec">,
  { docker, signal }: AttemptSurroundings,
): Promise<Attempt> {
  let last = "";
  const onLine = (line: string) => {
    if (line.trim() !== "") last = line.trim();
  };
  const exitCode = await execInContainer(docker, container.id, { command, user }, { signal, onLine });
  const state = `exit code ${exitCode}`;
  return exitCode === 0
    ? { ok: true, state }
    : { ok: false, state, ...(last && { detail: firstBytes(last) }) };
}

async function attemptLog(
  container: ContainerFacts,
  { pattern }: CheckOf<"log">,
  { docker, signal }: AttemptSurroundings,
): Promise<Attempt> {
  const since = container.startedAt;
  const log = await readContainerLog(docker, container.id, LOG_LINES, { signal, since });
  switch (matchInTime(pattern, "u", log.split("\n"))) {
    case "match":
      return { ok: true, state: "found" };
    case "no match":
      return { ok: false, state: "not found", detail: `no line of its log matches ${pattern}` };
    case "unknown":
      return { ok: false, state: "not found", detail: `its log ${NOT_FOUND.unknown} ${pattern}` };
  }
}
