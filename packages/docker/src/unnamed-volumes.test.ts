import { expect, test } from "vitest";
import { makeUpVolumeName, unnamedVolumesOf } from "./unnamed-volumes.ts";

const labels = (service: string, number: string) => ({
  "com.docker.compose.service": service,
  "com.docker.compose.container-number": number,
});

test("volumes that the engine gave a name are told from the others", () => {
  const [one, two] = [makeUpVolumeName(), makeUpVolumeName()];
  const mounts = (Name: string) => [
    { Type: "volume", Name: "s_db", Destination: "/named" },
    { Type: "bind", Destination: "/bind" },
    { Type: "volume", Name, Destination: "/data" },
  ];
  const containers = [
    { Config: { Labels: labels("db", "2") }, Mounts: mounts(two) },
    { Config: { Labels: labels("db", "1") }, Mounts: mounts(one) },
    { Config: { Labels: null }, Mounts: mounts(one) },
    { Config: { Labels: labels("app", "1") } },
  ];
  expect(unnamedVolumesOf(containers)).toEqual([
    { service: "db", number: 1, target: "/data", name: one },
    { service: "db", number: 2, target: "/data", name: two },
  ]);
});
