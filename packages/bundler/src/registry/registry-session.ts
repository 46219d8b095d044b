import type { RegistryCredentials } from "@drybag/docker";
import { DrybagError } from "@drybag/errors";
import { parseChallenge } from "./bearer-challenge.ts";
import type { Ask, HttpRequest, HttpResponse } from "./http-request.ts";
import type { RegistryEndpoint } from "./registry-endpoints.ts";
import { requestToken } from "./request-token.ts";

/** What is asked of one registry at one address, logged in where it wants that. */
export interface RegistrySession {
  /** @param path below the address, beginning with `/v2/` */
  get(path: string, request: HttpRequest, signal: AbortSignal): Promise<HttpResponse>;
}

export interface SessionOptions {
  ask: Ask;
  endpoint: RegistryEndpoint;
  /** Asked for once, and only when the registry wants to know who asks. */
  credentials(): Promise<RegistryCredentials | undefined>;
}

/** A registry may send a client to where it keeps its manifests; more steps than these go in a circle. */
const MOST_REDIRECTS = 5;

/**
 * Throws `registry-unreachable`, `registry-refused` (401 and 403), `registry-limited` (429). Any other answer is for the caller.
 */
export function openRegistrySession({ ask, endpoint, credentials }: SessionOptions): RegistrySession {
  /** Authorization headers by the scope they were given for. */
  const granted = new Map<string, string>();
  let known: Promise<RegistryCredentials | undefined> | undefined;

  const authorize = async (response: HttpResponse, signal: AbortSignal): Promise<string | undefined> => {
    const challenge = parseChallenge(response.headers["www-authenticate"]);
    known ??= credentials();
    const own = await known;
    if (challenge?.scheme === "bearer") return requestToken({ ask, endpoint, challenge, own }, signal);
    return own !== undefined && "username" in own && challenge !== undefined ? basic(own) : undefined;
  };

  return {
    async get(path, request, signal) {
      const url = new URL(path, endpoint.url);
      const scope = path.replace(/\/(?:tags|manifests)\/.*$/, "");
      const first = await follow(ask, endpoint, url, request, granted.get(scope), signal);
      if (first.status !== 401) return accepted(endpoint, first);
      const authorization = await authorize(first, signal);
      if (authorization === undefined) throw refused(endpoint, first);
      granted.set(scope, authorization);
      return accepted(endpoint, await follow(ask, endpoint, url, request, authorization, signal));
    },
  };
}

/** Authorization goes to the registry itself and to nobody that it sends us to. */
async function follow(
  ask: Ask,
  endpoint: RegistryEndpoint,
  start: URL,
  request: HttpRequest,
  authorization: string | undefined,
  signal: AbortSignal,
): Promise<HttpResponse> {
  let url = start;
  for (let step = 0; step <= MOST_REDIRECTS; step += 1) {
    const own = url.origin === start.origin && authorization !== undefined ? { authorization } : {};
    const response = await ask(url, { ...request, headers: { ...request.headers, ...own } }, signal).catch(
      (error) => {
        signal.throwIfAborted();
        throw unreachable(endpoint, error);
      },
    );
    const { location } = response.headers;
    if (![301, 302, 303, 307, 308].includes(response.status) || location === undefined) return response;
    const next = URL.parse(location, url.href);
    if (next === null || (next.protocol !== "https:" && next.protocol !== start.protocol)) break;
    url = next;
  }
  throw unreachable(endpoint, new Error("it sends us around"));
}

function accepted(endpoint: RegistryEndpoint, response: HttpResponse): HttpResponse {
  if (response.status === 401 || response.status === 403) throw refused(endpoint, response);
  if (response.status === 429) throw limited(endpoint, response);
  if (response.status >= 500) throw unreachable(endpoint, new Error(`it answers ${response.status}`));
  return response;
}

export function basic({ username, password }: { username: string; password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

export function unreachable({ url }: RegistryEndpoint, cause: unknown): DrybagError {
  const { code, message } = cause as NodeJS.ErrnoException;
  return new DrybagError("registry-unreachable", `The registry ${url} cannot be asked: ${message || code}.`, {
    hint: "Check the network, HTTPS_PROXY, and whether its certificate is trusted here.",
    cause,
  });
}

function refused({ url, registry }: RegistryEndpoint, { status }: HttpResponse): DrybagError {
  return new DrybagError("registry-refused", `The registry ${url} does not show this image (${status}).`, {
    hint: `If it is there: docker login${registry === "docker.io" ? "" : ` ${registry}`}. Else correct its name.`,
  });
}

function limited({ url, registry }: RegistryEndpoint, { headers }: HttpResponse): DrybagError {
  const seconds = Number(headers["retry-after"]);
  const wait = Number.isFinite(seconds) && seconds > 0 ? `in ${seconds} s` : "later";
  return new DrybagError("registry-limited", `The registry ${url} answers no more for now (429).`, {
    hint: `Try again ${wait}, or log in (docker login${registry === "docker.io" ? "" : ` ${registry}`}): limits are higher then.`,
  });
}
