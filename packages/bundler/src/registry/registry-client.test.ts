import type { RegistryCredentials } from "@drybag/docker";
import { isDrybagError } from "@drybag/errors";
import { expect, test } from "vitest";
import { createAsk } from "./http-request.ts";
import { registryClient } from "./registry-client.ts";
import { type FakeRegistry, startFakeRegistry } from "./testing/fake-registry.ts";

const { signal } = new AbortController();
const ADA = { username: "ada", password: "pw" };
const ADA_HEADER = `Basic ${Buffer.from("ada:pw").toString("base64")}`;
const DIGEST = `sha256:${"a".repeat(64)}`;

function clientOf(own?: RegistryCredentials, mirrors: string[] = []) {
  const facts = { mirrors, insecure: [], insecureNetworks: [] };
  return registryClient({ ask: createAsk({}), facts, credentials: async () => own });
}

const shop = ({ host }: FakeRegistry) => ({ domain: host, path: "shop/web" });

async function failure(
  run: Promise<unknown>,
): Promise<{ code: string; message: string; hint: string | undefined }> {
  const error = await run.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!isDrybagError(error)) throw new Error("it was not refused", { cause: error });
  return { code: error.code, message: error.message, hint: error.hint };
}

test("tags of all pages, each once, links absolute or not", async () => {
  await using registry = await startFakeRegistry(({ url, headers }, response) => {
    const last = new URLSearchParams(url?.split("?")[1]).get("last");
    const link = {
      null: "</v2/shop/web/tags/list?last=b&n=2>",
      b: `<http://${headers.host}/v2/shop/web/tags/list?last=c>`,
    }[String(last)];
    if (link) response.setHeader("link", `${link}; rel="next"`);
    const tags = { null: ["a", "b"], b: ["b", "c"], c: ["d", "not a tag", 7] }[String(last)];
    response.end(JSON.stringify({ name: "shop/web", tags }));
  });
  expect(await clientOf().listTags(shop(registry), signal)).toEqual(["a", "b", "c", "d"]);
});

test("a link to another list is not followed", async () => {
  await using registry = await startFakeRegistry((_, response) => {
    response.setHeader("link", '</v2/other/tags/list?last=a>; rel="next"');
    response.end('{"tags":["a"]}');
  });
  expect(await clientOf().listTags(shop(registry), signal)).toEqual(["a"]);
  expect(registry.requests).toHaveLength(1);
});

/** A registry that wants a token, and the server that gives it; `who` is what the token was asked for with. */
function withTokens(answer: (who: string | undefined) => { status?: number; body: string }) {
  return startFakeRegistry((request, response, body) => {
    const { url = "", headers } = request;
    if (url.startsWith("/token")) {
      const { status = 200, body: given } = answer(headers.authorization ?? (body || undefined));
      response.writeHead(status).end(given);
    } else if (headers.authorization === "Bearer t0k") {
      response.setHeader("docker-content-digest", DIGEST);
      response.end('{"tags":["1"]}');
    } else {
      const realm = `realm="http://${headers.host}/token",service="reg,istry",scope="repository:shop/web:pull"`;
      response.writeHead(401, { "www-authenticate": `Bearer ${realm}` }).end();
    }
  });
}

test("a token is asked for as anybody, once for all that is asked of an image", async () => {
  await using registry = await withTokens((who) => ({ body: who === undefined ? '{"token":"t0k"}' : "{}" }));
  const client = clientOf();
  expect(await client.listTags(shop(registry), signal)).toEqual(["1"]);
  expect(await client.readDigest(shop(registry), "1", signal)).toBe(DIGEST);
  expect(registry.requests).toEqual([
    "GET /v2/shop/web/tags/list?n=1000",
    "GET /token?service=reg%2Cistry&scope=repository%3Ashop%2Fweb%3Apull",
    "GET /v2/shop/web/tags/list?n=1000 Bearer t0k",
    "HEAD /v2/shop/web/manifests/1 Bearer t0k",
  ]);
});

test("a token is asked for with a user name and password", async () => {
  await using registry = await withTokens((who) => ({
    body: who === ADA_HEADER ? '{"access_token":"t0k"}' : "{}",
  }));
  expect(await clientOf(ADA).listTags(shop(registry), signal)).toEqual(["1"]);
});

test("a token is asked for with an identity token", async () => {
  await using registry = await withTokens((who) => ({
    body:
      who?.includes("refresh_token=id-1") && who.includes("grant_type=refresh_token")
        ? '{"token":"t0k"}'
        : "{}",
  }));
  expect(await clientOf({ identityToken: "id-1" }).listTags(shop(registry), signal)).toEqual(["1"]);
});

test("a password is sent to a registry that wants one, and not before it asks", async () => {
  await using registry = await startFakeRegistry(({ headers }, response) => {
    if (headers.authorization === ADA_HEADER) response.end('{"tags":["1"]}');
    else response.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end();
  });
  expect(await clientOf(ADA).listTags(shop(registry), signal)).toEqual(["1"]);
  expect(registry.requests[0]).toBe("GET /v2/shop/web/tags/list?n=1000");
  expect(await failure(clientOf().listTags(shop(registry), signal))).toMatchObject({
    code: "registry-refused",
    hint: expect.stringContaining(`docker login ${registry.host}`),
  });
});

test("whoever a registry sends us to gets no password", async () => {
  await using other = await startFakeRegistry((_, response) => {
    response.end('{"tags":["1"]}');
  });
  await using registry = await startFakeRegistry(({ headers }, response) => {
    if (headers.authorization === undefined)
      response.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end();
    else response.writeHead(307, { location: `${other.url}/tags` }).end();
  });
  expect(await clientOf(ADA).listTags(shop(registry), signal)).toEqual(["1"]);
  expect(other.requests).toEqual(["GET /tags"]);
});

test("nothing secret is in an error", async () => {
  await using registry = await withTokens(() => ({ status: 401, body: "" }));
  const told = await failure(clientOf({ identityToken: "very-secret" }).listTags(shop(registry), signal));
  expect(told.code).toBe("registry-refused");
  expect(JSON.stringify(told)).not.toContain("very-secret");
});

test("an unsafe place for tokens gets nothing", async () => {
  await using registry = await startFakeRegistry((_, response) => {
    response.writeHead(401, { "www-authenticate": 'Bearer realm="file:///etc/passwd"' }).end();
  });
  expect(await failure(clientOf(ADA).listTags(shop(registry), signal))).toMatchObject({
    code: "registry-unreachable",
  });
});

test("too many requests: told, with the time to wait", async () => {
  await using registry = await startFakeRegistry((_, response) => {
    response.writeHead(429, { "retry-after": "90" }).end();
  });
  expect(await failure(clientOf().listTags(shop(registry), signal))).toMatchObject({
    code: "registry-limited",
    hint: expect.stringContaining("in 90 s"),
  });
});

test.each([
  ["an answer that is no list", 200, "<html>", "registry-unreachable"],
  ["a server that fails", 503, "", "registry-unreachable"],
  ["no such image", 404, "", "registry-refused"],
  ["no right to it", 403, "", "registry-refused"],
])("%s", async (_title, status, body, code) => {
  await using registry = await startFakeRegistry((_, response) => {
    response.writeHead(status).end(body);
  });
  expect(await failure(clientOf().listTags(shop(registry), signal))).toMatchObject({ code });
});

test("nobody there: the address is told", async () => {
  const registry = await startFakeRegistry(() => undefined);
  await registry[Symbol.asyncDispose]();
  const told = await failure(clientOf().listTags(shop(registry), signal));
  expect(told).toMatchObject({
    code: "registry-unreachable",
    message: expect.stringContaining(registry.url),
  });
});

test("asking ends when the signal says so", async () => {
  const controller = new AbortController();
  await using registry = await startFakeRegistry(() => controller.abort(new Error("stopped")));
  await expect(clientOf().listTags(shop(registry), controller.signal)).rejects.toThrow("stopped");
});

test("a tag that is not there has no digest", async () => {
  await using registry = await startFakeRegistry((_, response) => {
    response.writeHead(404).end();
  });
  expect(await clientOf().readDigest(shop(registry), "9", signal)).toBeUndefined();
});

test("a mirror is asked for Docker Hub's images; one that does not have them makes room for the next", async () => {
  await using empty = await startFakeRegistry((_, response) => {
    response.writeHead(404).end();
  });
  await using full = await startFakeRegistry((_, response) => {
    response.end('{"tags":["8"]}');
  });
  const client = clientOf(undefined, [`${empty.url}/`, full.url]);
  expect(await client.listTags({ domain: "docker.io", path: "library/redis" }, signal)).toEqual(["8"]);
  expect([empty.requests.length, full.requests.length]).toEqual([1, 1]);
});

test("a proxy of the environment is used", async () => {
  await using proxy = await startFakeRegistry(({ url }, response) => {
    response.end(JSON.stringify({ tags: [url?.startsWith("http://127.0.0.1:1/") ? "by-proxy" : "x"] }));
  });
  const facts = { mirrors: [], insecure: [], insecureNetworks: [] };
  const ask = createAsk({ HTTP_PROXY: proxy.url });
  const client = registryClient({ ask, facts, credentials: async () => undefined });
  expect(await client.listTags({ domain: "127.0.0.1:1", path: "a" }, signal)).toEqual(["by-proxy"]);
});
