import type { RegistryCredentials } from "@drybag/docker";
import type { Challenge } from "./bearer-challenge.ts";
import type { Ask, HttpResponse } from "./http-request.ts";
import type { RegistryEndpoint } from "./registry-endpoints.ts";
import { basic, unreachable } from "./registry-session.ts";

export interface TokenWish {
  ask: Ask;
  endpoint: RegistryEndpoint;
  challenge: Challenge;
  own: RegistryCredentials | undefined;
}

/**
 * Gets a bearer token from the server that a registry names, as anybody where there are no credentials: the `Authorization` to ask
 * with; undefined where it gives none.
 * Sources: https://distribution.github.io/distribution/spec/auth/token/ and …/auth/oauth/ (identity tokens).
 * Throws `registry-unreachable`.
 */
export async function requestToken(wish: TokenWish, signal: AbortSignal): Promise<string | undefined> {
  const { endpoint, challenge } = wish;
  const realm = URL.parse(challenge.realm ?? "");
  // Credentials that are meant for a registry with TLS go nowhere without.
  const isSafe =
    realm?.protocol === "https:" || (realm?.protocol === "http:" && endpoint.url.startsWith("http:"));
  if (realm === null || !isSafe) throw unreachable(endpoint, new Error("it names no safe place for tokens"));
  const response = await askFor(wish, realm, signal).catch((error) => {
    signal.throwIfAborted();
    throw unreachable({ ...endpoint, url: realm.origin }, error);
  });
  if (response.status === 429 || response.status >= 500)
    throw unreachable({ ...endpoint, url: realm.origin }, new Error(`it answers ${response.status}`));
  if (response.status !== 200) return undefined;
  const token = tokenIn(response.body);
  return token === undefined ? undefined : `Bearer ${token}`;
}

function askFor({ ask, challenge, own }: TokenWish, realm: URL, signal: AbortSignal): Promise<HttpResponse> {
  const { service, scope } = challenge;
  const wanted = { ...(service && { service }), ...(scope && { scope }) };
  if (own !== undefined && "identityToken" in own) {
    const form = {
      ...wanted,
      grant_type: "refresh_token",
      refresh_token: own.identityToken,
      client_id: "drybag",
    };
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    return ask(realm, { method: "POST", headers, body: new URLSearchParams(form).toString() }, signal);
  }
  for (const [name, value] of Object.entries(wanted)) realm.searchParams.set(name, value);
  return ask(realm, own === undefined ? {} : { headers: { authorization: basic(own) } }, signal);
}

function tokenIn(body: string): string | undefined {
  try {
    const { token, access_token: other } = JSON.parse(body) as { token?: unknown; access_token?: unknown };
    const found = token ?? other;
    // It goes into a header.
    return typeof found === "string" && /^[\x21-\x7e]+$/.test(found) ? found : undefined;
  } catch {
    return undefined;
  }
}
