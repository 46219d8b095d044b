import { expect, test } from "vitest";
import type { ArchiveRecord } from "./backup-record.ts";
import { planPlaces } from "./detach-unnamed.ts";

const archive: ArchiveRecord = { archive: "unnamed-db-1-1.tar.zst", sizeBytes: 1, sha256: "a", tarBytes: 1 };
const at = (service: string, target: string, number = 1) => ({ service, number, target });
const places = new Map([["db", new Set(["/data", "/log", "/new", "/as-image"])]]);

test("volumes without a name keep their names, whether they are filled anew or stay as they are", () => {
  const here = [
    { ...at("db", "/data"), name: "a" },
    { ...at("db", "/log"), name: "b" },
    { ...at("db", "/as-image"), name: "c" },
    { ...at("gone", "/data"), name: "d" },
  ];
  const records = [
    { ...at("db", "/data"), name: "old", content: archive },
    { ...at("db", "/new"), name: "old", content: archive },
    { ...at("db", "/as-image"), name: "old", content: null },
    { ...at("gone", "/other"), name: "old", content: archive },
  ];
  const plan = planPlaces(here, [], records, places);
  expect(plan.volumes).toEqual([
    { ...at("db", "/data"), name: "a" },
    { ...at("db", "/new"), name: expect.stringMatching(/^[0-9a-f]{64}$/) },
    { ...at("db", "/log"), name: "b" },
  ]);
  expect([...plan.contents.keys()]).toEqual(["a", plan.volumes[1]?.name]);
  expect(plan.toRemove).toEqual([here[2], here[3]]);
  expect(plan.leftOut).toEqual([records[3]]);
});

test("one that was cut off knows them from what was written down", () => {
  const before = [{ ...at("db", "/data"), name: "a" }];
  const records = [{ ...at("db", "/data"), name: "old", content: archive }];
  expect(planPlaces([], before, records, places).volumes).toEqual(before);
  const here = [{ ...at("db", "/data"), name: "b" }];
  const plan = planPlaces(here, before, records, places);
  expect(plan).toMatchObject({ volumes: here, toRemove: before });
});
