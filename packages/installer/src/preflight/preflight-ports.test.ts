import { createServer } from "node:net";
import type { ComposeModel, ContainerFacts } from "@drybag/docker";
import { expect, test } from "vitest";
import { checkPorts, wantedPorts } from "./preflight-ports.ts";

const WANTED = { service: "web", hostIp: "", port: 8080, protocol: "tcp" };

function holder(project: string, ports: Partial<ContainerFacts["ports"][number]>): ContainerFacts {
  const port = { hostIp: "0.0.0.0", hostPort: 8080, containerPort: 80, protocol: "tcp", ...ports };
  return { name: `${project}-web-1`, project, ports: [port] } as ContainerFacts;
}

const free = async () => true;

test("published ports are wanted; ranges count as one, and ports that the engine chooses not at all", () => {
  const model: ComposeModel = {
    name: "x",
    services: {
      web: {
        ports: [
          { target: 80, published: "8080", protocol: "tcp" },
          { target: 53, published: "53", protocol: "udp", host_ip: "127.0.0.1" },
          { target: 81, published: "8000-8010" },
          { target: 82 },
        ],
      },
    },
  };
  expect(wantedPorts(model)).toEqual([
    WANTED,
    { service: "web", hostIp: "127.0.0.1", port: 53, protocol: "udp" },
    { service: "web", hostIp: "", port: 8000, lastPort: 8010, protocol: "tcp" },
  ]);
});

test("a port of another stack's container is taken, with its name; one of our own is not", async () => {
  const findings = await checkPorts([WANTED], [holder("other", {})], "mine", true, free);
  expect(findings[0]?.message).toContain("other-web-1");
  expect(await checkPorts([WANTED], [holder("mine", {})], "mine", true, async () => false)).toEqual([]);
});

test.each([
  ["another port", { hostPort: 8081 }],
  ["another protocol", { protocol: "udp" }],
])("%s is no clash", async (_, ports) => {
  expect(await checkPorts([WANTED], [holder("other", ports)], "mine", true, free)).toEqual([]);
});

test("two certain addresses do not clash", async () => {
  const wanted = { ...WANTED, hostIp: "127.0.0.1" };
  expect(await checkPorts([wanted], [holder("other", { hostIp: "10.0.0.1" })], "mine", true, free)).toEqual(
    [],
  );
});

test("a port that another program holds is found by trying, unless the engine is elsewhere", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "0.0.0.0", resolve));
  const { port } = server.address() as { port: number };
  const wanted = [{ ...WANTED, port }];
  expect(await checkPorts(wanted, [], "mine", true)).toMatchObject([{ code: "port-in-use" }]);
  expect(await checkPorts(wanted, [], "mine", false)).toEqual([]);
  await new Promise((resolve) => server.close(resolve));
  expect(await checkPorts(wanted, [], "mine", true)).toEqual([]);
});

test("of a range, one free port is enough, and none is too few", async () => {
  const range = [{ ...WANTED, lastPort: 8082 }];
  const taken =
    (...ports: number[]) =>
    async ({ port }: { port: number }) =>
      !ports.includes(port);
  expect(await checkPorts(range, [], "mine", true, taken(8080, 8081))).toEqual([]);
  const findings = await checkPorts(range, [holder("other", {})], "mine", true, taken(8081, 8082));
  expect(findings).toMatchObject([
    { code: "port-in-use", message: expect.stringMatching(/8080-8082.*other-web-1/) },
  ]);
  expect(await checkPorts(range, [holder("mine", {})], "mine", true, taken(8081, 8082))).toEqual([]);
});
