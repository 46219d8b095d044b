import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { ContainerFacts } from "@drybag/docker";
import type { Check } from "@drybag/format";
import { expect, test } from "vitest";
import { attemptCheck, judgeAnswer } from "./check-attempt.ts";

const http: Check = {
  name: "ping",
  timeoutSeconds: 5,
  kind: "http",
  service: "web",
  port: 80,
  path: "/ping?a=${A}",
  status: 200,
  headers: { "X-A": "${A}" },
  host: "${A}.example",
  body: "^pong$",
};

function container(hostPort: number, changes: Partial<ContainerFacts> = {}): ContainerFacts {
  return {
    service: "web",
    name: "p-web-1",
    state: "running",
    addresses: [],
    ports: [{ hostIp: "0.0.0.0", hostPort, containerPort: 80, protocol: "tcp" }],
    ...changes,
  } as ContainerFacts;
}

const around = (containers: ContainerFacts[]) => ({
  docker: { env: {}, command: "/nonexistent" },
  engineIsLocal: true,
  settings: new Map([["A", "1"]]),
  containers,
  timeoutMs: 5000,
  signal: new AbortController().signal,
});

test("a published port is asked, with settings filled in", async () => {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(`${request.url} ${request.headers.host} ${request.headers["x-a"]}`);
    response.end("pong");
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  try {
    expect(await attemptCheck(http, around([container(port)]))).toEqual({ ok: true, state: "200 OK" });
    expect(seen).toEqual(["/ping?a=1 1.example 1"]);
    const tcp: Check = { name: "open", timeoutSeconds: 5, kind: "tcp", service: "web", port: 80 };
    expect(await attemptCheck(tcp, around([container(port)]))).toEqual({ ok: true, state: "open" });
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    expect(await attemptCheck(tcp, around([container(port)]))).toMatchObject({ ok: false, state: "refused" });
  } finally {
    server.close();
  }
});

test("a service that does not run is said so", async () => {
  expect(await attemptCheck(http, around([container(1, { state: "exited" })]))).toEqual({
    ok: false,
    state: "no container",
    detail: "web does not run",
  });
});

test.each([
  [
    { status: 200, statusText: "OK", body: "pong" },
    { ok: true, state: "200 OK" },
  ],
  [
    { status: 500, statusText: "Internal Server Error", body: "no\n database" },
    { ok: false, state: "500 Internal Server Error", detail: "expected 200; body: no database" },
  ],
  [
    { status: 200, statusText: "", body: "" },
    { ok: false, state: "200", detail: "the body does not match ^pong$; an empty body" },
  ],
])("%j", (answer, attempt) => {
  expect(judgeAnswer({ status: 200, body: "^pong$" }, answer)).toEqual(attempt);
});

test("a long body is cut", () => {
  const { detail = "" } = judgeAnswer(
    { status: 200 },
    { status: 404, statusText: "", body: "x".repeat(999) },
  );
  expect(detail).toHaveLength("expected 200; body: ".length + 201);
});
