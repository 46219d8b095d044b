import { expect, test } from "vitest";
import type { BackupRecord } from "./backup-record.ts";
import { backupBytesNeeded, isPlaceToKeep, volumesToKeep } from "./plan-backup.ts";

const VOLUMES = { db: null, cache: {}, shared: { external: true }, sites: { name: "s" } };

test.each([
  [{}, ["cache", "db", "sites"]],
  [{ exclude: ["cache"] }, ["db", "sites"]],
  [{ volumes: ["db", "shared", "gone"] }, ["db", "shared"]],
  [{ volumes: ["db", "sites"], exclude: ["db"] }, ["sites"]],
])("of all volumes, the rules %j keep %j", (rules, keys) => {
  expect(volumesToKeep(VOLUMES, rules)).toEqual(keys);
});

test("a whole backup leaves out only what is of somebody else and not named", () => {
  expect(volumesToKeep(VOLUMES, { exclude: ["db"] }, true)).toEqual(["cache", "db", "sites"]);
  expect(volumesToKeep(VOLUMES, { volumes: ["shared"] }, true)).toEqual(["cache", "db", "shared", "sites"]);
});

test.each([
  [{}, true],
  [{ exclude: ["db:/data"] }, false],
  [{ exclude: ["db:/log", "db"] }, true],
  [{ volumes: ["db"] }, false],
  [{ volumes: ["db", "db:/data"] }, true],
])("of volumes without a name, the rules %j keep the one of db at /data: %j", (rules, isKept) => {
  expect(isPlaceToKeep({ service: "db", number: 2, target: "/data" }, rules)).toBe(isKept);
});

test("the room that is needed is known from how well the last backup was compressed", () => {
  const margin = 16 * 1024 ** 2;
  const last = {
    volumes: [{ sizeBytes: 100, tarBytes: 1000 }],
    unnamed: [],
    data: null,
  } as unknown as BackupRecord;
  expect(backupBytesNeeded(1e9, [])).toBe(1e9 + margin);
  expect(backupBytesNeeded(1e9, [last])).toBe(1.25e8 + margin);
  const worse = {
    volumes: [{ sizeBytes: 1000, tarBytes: 1000 }],
    unnamed: [],
    data: null,
  } as unknown as BackupRecord;
  expect(backupBytesNeeded(1e9, [worse, last])).toBe(1e9 + margin);
});
