import {
  type DockerContext,
  type RegistryFacts,
  readRegistryCredentials,
  readRegistryFacts,
} from "@drybag/docker";
import { DrybagError, isDrybagError } from "@drybag/errors";
import { type Ask, createAsk, type HttpResponse } from "./http-request.ts";
import { type RegistryEndpoint, registryEndpoints } from "./registry-endpoints.ts";
import { openRegistrySession, type RegistrySession, unreachable } from "./registry-session.ts";

/** An image without its tag. */
export interface Repository {
  /** `docker.io`, `localhost:5000` */
  domain: string;
  /** `library/redis` */
  path: string;
}

/** Asks registries, as the engine would reach them. */
export interface RegistryClient {
  /** Every tag. Throws `registry-unreachable`, `registry-refused`, `registry-limited`. */
  listTags(repository: Repository, signal: AbortSignal): Promise<string[]>;
  /** Digest of what a tag is now, of the index where there is one; undefined where there is no such tag. Throws as `listTags`. */
  readDigest(repository: Repository, tag: string, signal: AbortSignal): Promise<string | undefined>;
}

const TAGS_A_PAGE = 1000;
const MOST_PAGES = 1000;

const MANIFEST_TYPES = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");

/** @param docker whose mirrors, insecure registries and credentials count */
export async function openRegistryClient(
  docker: DockerContext,
  signal: AbortSignal,
): Promise<RegistryClient> {
  const facts = await readRegistryFacts(docker, { signal });
  return registryClient({
    ask: createAsk(docker.env),
    facts,
    credentials: (registry) => readRegistryCredentials(docker, registry, { signal }),
  });
}

export interface RegistryAccess {
  ask: Ask;
  facts: RegistryFacts;
  credentials(registry: string): ReturnType<typeof readRegistryCredentials>;
}

/**
 * Protocol: https://github.com/opencontainers/distribution-spec/blob/main/spec.md, "Listing Tags" and "Checking if content exists".
 */
export function registryClient({ ask, facts, credentials }: RegistryAccess): RegistryClient {
  const sessions = new Map<string, RegistrySession>();
  const sessionAt = (endpoint: RegistryEndpoint): RegistrySession => {
    const known =
      sessions.get(endpoint.url) ??
      openRegistrySession({ ask, endpoint, credentials: () => credentials(endpoint.registry) });
    sessions.set(endpoint.url, known);
    return known;
  };
  /** As the engine does: a mirror that fails or does not have it makes room for the next. */
  const inTurn = async <T>(
    { domain }: Repository,
    run: (session: RegistrySession, endpoint: RegistryEndpoint) => Promise<T | undefined>,
  ): Promise<T | undefined> => {
    let first: unknown;
    /** With TLS and without it is the same registry: what it has said once counts. */
    const answered = new Set<string>();
    for (const endpoint of registryEndpoints(domain, facts)) {
      if (answered.has(endpoint.registry)) continue;
      try {
        const found = await run(sessionAt(endpoint), endpoint);
        if (found !== undefined) return found;
        answered.add(endpoint.registry);
      } catch (error) {
        if (!isDrybagError(error, "registry-unreachable", "registry-refused", "registry-limited"))
          throw error;
        if (!isDrybagError(error, "registry-unreachable")) answered.add(endpoint.registry);
        first ??= error;
      }
    }
    if (first !== undefined) throw first;
    return undefined;
  };
  return {
    async listTags(repository, signal) {
      const tags = await inTurn(repository, (session, endpoint) =>
        tagsOf(session, endpoint, repository, signal),
      );
      if (tags !== undefined) return tags;
      const { domain, path } = repository;
      throw new DrybagError("registry-refused", `The registry ${domain} has no image ${path}.`, {
        hint: "Correct its name.",
      });
    },
    readDigest: (repository, tag, signal) =>
      inTurn(repository, async (session) => {
        const headers = { accept: MANIFEST_TYPES };
        const target = `/v2/${repository.path}/manifests/${tag}`;
        const { status, headers: given } = await session.get(target, { method: "HEAD", headers }, signal);
        const digest = given["docker-content-digest"];
        return status === 200 && typeof digest === "string" && /^sha256:[0-9a-f]{64}$/.test(digest)
          ? digest
          : undefined;
      }),
  };
}

async function tagsOf(
  session: RegistrySession,
  endpoint: RegistryEndpoint,
  { path }: Repository,
  signal: AbortSignal,
): Promise<string[] | undefined> {
  const tags = new Set<string>();
  let next: string | undefined = `/v2/${path}/tags/list?n=${TAGS_A_PAGE}`;
  for (let page = 0; next !== undefined; page += 1) {
    if (page >= MOST_PAGES) throw unreachable(endpoint, new Error("its list of tags does not end"));
    const response: HttpResponse = await session.get(next, {}, signal);
    if (response.status === 404) return undefined;
    for (const tag of parseTags(endpoint, response)) tags.add(tag);
    next = nextPage(endpoint, response, path);
  }
  return [...tags];
}

function parseTags(endpoint: RegistryEndpoint, { status, body }: HttpResponse): string[] {
  try {
    if (status !== 200) throw new Error(`it answers ${status}`);
    const { tags } = JSON.parse(body) as { tags?: unknown };
    // A repository whose tags were all removed says null.
    const list = Array.isArray(tags) ? tags : [];
    return list.filter((tag) => typeof tag === "string" && /^\w[\w.-]{0,127}$/.test(tag));
  } catch (error) {
    const cause = error instanceof SyntaxError ? new Error("its answer is no list of tags") : error;
    throw unreachable(endpoint, cause);
  }
}

/** The `Link` header (RFC 8288), absolute or not; never to another place than this list. */
function nextPage(endpoint: RegistryEndpoint, { headers }: HttpResponse, path: string): string | undefined {
  const links = [headers.link ?? []].flat().join(", ");
  const [, target] = /<([^>]+)>\s*;\s*rel="?next"?/.exec(links) ?? [];
  if (target === undefined) return undefined;
  const url = URL.parse(target, `${endpoint.url}/v2/${path}/tags/list`);
  return url?.pathname === `/v2/${path}/tags/list` ? `${url.pathname}${url.search}` : undefined;
}
