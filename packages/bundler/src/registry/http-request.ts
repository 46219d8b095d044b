import { readFile } from "node:fs/promises";
import * as http from "node:http";
import * as https from "node:https";
import path from "node:path";
import { getCACertificates } from "node:tls";

export interface HttpRequest {
  method?: "GET" | "HEAD" | "POST";
  headers?: Record<string, string>;
  body?: string;
}

export interface HttpResponse {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: string;
}

/** Asks a web server. Redirects are not followed. */
export type Ask = (url: URL, request: HttpRequest, signal: AbortSignal) => Promise<HttpResponse>;

/** A registry answers within this time, in milliseconds, or not at all. */
const ANSWER_TIMEOUT_MS = 30_000;
/** No page of tags is larger. */
const LARGEST_BODY_BYTES = 16 * 1024 ** 2;
const DOCKER_CERTIFICATES = "/etc/docker/certs.d";

/**
 * Makes the function that asks: through the proxies of the environment (HTTPS_PROXY, HTTP_PROXY, NO_PROXY), trusting what Node
 * trusts, what the system trusts, and what the docker client trusts for that registry.
 */
export function createAsk(env: Readonly<Record<string, string | undefined>>): Ask {
  const proxyEnv = { ...env } as NodeJS.ProcessEnv;
  const plain = new http.Agent({ proxyEnv });
  const secure = new Map<string, Promise<https.Agent>>();
  const secureAgent = (host: string) => {
    const known =
      secure.get(host) ?? trustedCertificates(host).then((ca) => new https.Agent({ proxyEnv, ca }));
    secure.set(host, known);
    return known;
  };
  return async (url, request, signal) => {
    const limit = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
    const within = AbortSignal.any([signal, limit]);
    try {
      return url.protocol === "https:"
        ? await send(https.request, url, request, await secureAgent(url.host), within)
        : await send(http.request, url, request, plain, within);
    } catch (error) {
      signal.throwIfAborted();
      if (limit.aborted) throw new Error(`no answer within ${ANSWER_TIMEOUT_MS / 1000} s`);
      throw error;
    }
  };
}

async function trustedCertificates(host: string): Promise<string[]> {
  const own = await readFile(path.join(DOCKER_CERTIFICATES, host, "ca.crt"), "utf8").catch(() => undefined);
  return [
    ...new Set([...getCACertificates("default"), ...getCACertificates("system"), ...(own ? [own] : [])]),
  ];
}

function send(
  start: typeof https.request,
  url: URL,
  { method = "GET", headers = {}, body }: HttpRequest,
  agent: http.Agent,
  signal: AbortSignal,
): Promise<HttpResponse> {
  const { promise, resolve, reject } = Promise.withResolvers<HttpResponse>();
  const request = start(
    url,
    { method, headers: { "user-agent": "drybag", ...headers }, agent, signal },
    (response) => {
      const chunks: Buffer[] = [];
      let sizeBytes = 0;
      response.on("data", (chunk: Buffer) => {
        sizeBytes += chunk.length;
        if (sizeBytes > LARGEST_BODY_BYTES) request.destroy(new Error("the answer is too long"));
        chunks.push(chunk);
      });
      response.on("error", reject);
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString("utf8"),
        }),
      );
    },
  );
  request.on("error", reject);
  request.end(body);
  return promise;
}
