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
    { Type: "volume", Name: "s_logs", Destination: "/data/logs" },
  ];
  const containers = [
    { Id: "c2", Config: { Labels: labels("db", "2") }, Mounts: mounts(two) },
    { Id: "c1", Config: { Labels: labels("db", "1") }, Mounts: mounts(one) },
    { Id: "c3", Config: { Labels: null }, Mounts: mounts(one) },
    {
      Id: "c4",
      Config: { Labels: labels("app", "1") },
      Mounts: [{ Type: "volume", Name: two, Destination: "/seed" }],
    },
  ];
  expect(unnamedVolumesOf(containers)).toEqual([
    { service: "app", number: 1, target: "/seed", name: two, container: "c4", hasMountsBelow: false },
    { service: "db", number: 1, target: "/data", name: one, container: "c1", hasMountsBelow: true },
    { service: "db", number: 2, target: "/data", name: two, container: "c2", hasMountsBelow: true },
  ]);
});
