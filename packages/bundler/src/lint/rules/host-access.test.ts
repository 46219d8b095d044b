import { expect, test } from "vitest";
import { lintFiles, places } from "../testing/lint-files.ts";
import { hostAccess } from "./host-access.ts";

const service = (...lines: string[]) =>
  `services:\n  s:\n    image: a:1.0\n${lines.map((line) => `    ${line}\n`).join("")}`;

test.each([
  ["volumes: ['/var/run/docker.sock:/var/run/docker.sock:ro']", "4:15 warning docker-socket"],
  ["volumes: [{type: bind, source: /run/docker.sock, target: /x}]", "4:36 warning docker-socket"],
  ["volumes: ['/:/host']", "4:15 warning host-path"],
  ["volumes: ['/proc:/host/proc:ro']", "4:15 info host-path"],
  ["volumes: ['/etc/localtime:/etc/localtime']", "4:15 info host-path"],
  ["privileged: true", "4:17 warning privileged"],
  ["cap_add: [NET_ADMIN, SYS_ADMIN]", "4:26 warning privileged"],
  ["network_mode: host", "4:19 info host-namespace"],
  ["pid: host", "4:10 warning host-namespace"],
  ["devices: ['/dev/ttyUSB0:/dev/ttyUSB0']", "4:15 info host-device"],
  ["gpus: all", "4:11 info host-device"],
  ["runtime: nvidia", "4:14 info host-device"],
])("%s", async (line, place) => {
  expect(places(await lintFiles(hostAccess, service(line)))).toEqual([`compose.yaml:${place}`]);
});

test("what is the project's own, or asks for little, is fine", async () => {
  const text = service(
    "volumes: ['./etc:/etc/app', 'data:/var/lib', '/srv/data:/data']",
    "cap_add: [NET_BIND_SERVICE]",
    "privileged: false",
    "network_mode: bridge",
    "runtime: runc",
  );
  expect(await lintFiles(hostAccess, text)).toEqual([]);
});
