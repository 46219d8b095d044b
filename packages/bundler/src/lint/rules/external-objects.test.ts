// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Compose syntax
import { expect, test } from "vitest";
import { lintFiles, places } from "../testing/lint-files.ts";
import { externalObjects } from "./external-objects.ts";

test("networks and volumes that somebody else makes", async () => {
  const text = `services:
  web: {image: a:1.0}
networks:
  proxy: {external: true, name: traefik-public}
  own: {}
volumes:
  data:
    external: true
`;
  const findings = await lintFiles(externalObjects, text);
  expect(places(findings)).toEqual([
    "compose.yaml:4:21 warning external-network",
    "compose.yaml:8:15 warning external-volume",
  ]);
  expect(findings[0]?.message).toContain("'traefik-public'");
});

test("a name that the site chooses is not shown as what stands in for it", async () => {
  const text =
    "services:\n  web: {image: a:1.0}\nnetworks:\n  bench: {external: true, name: '${NETWORK:?}'}\n";
  const findings = await lintFiles(externalObjects, text);
  expect(findings[0]?.message).toContain("'bench'");
});

test("secrets of Swarm, if a service uses them", async () => {
  const text = `services:
  web: {image: a:1.0, secrets: [used], configs: [{source: conf}]}
secrets:
  used: {external: true}
  unused: {external: true}
configs:
  conf: {external: true}
`;
  expect(places(await lintFiles(externalObjects, text))).toEqual([
    "compose.yaml:4:20 error external-secret",
    "compose.yaml:7:20 error external-secret",
  ]);
});

test.each([
  ["external_links: [redis_1:redis]", "5:22"],
  ["network_mode: container:vpn", "5:19"],
  ["volumes_from: ['container:data:ro']", "5:20"],
])("a container of another project: %s", async (line, place) => {
  const text = `services:\n  a: {image: a}\n  web:\n    image: a:1.0\n    ${line}\n`;
  expect(places(await lintFiles(externalObjects, text))).toEqual([
    `compose.yaml:${place} warning external-container`,
  ]);
});

test("a container of this project is none", async () => {
  const text =
    "services:\n  a: {image: a, container_name: vpn}\n  b: {image: a, network_mode: 'container:vpn'}\n  c: {image: a, network_mode: 'service:a', volumes_from: [a]}\n";
  expect(await lintFiles(externalObjects, text)).toEqual([]);
});
