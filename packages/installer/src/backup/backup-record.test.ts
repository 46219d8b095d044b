import { expect, test } from "vitest";
import { backupName, parseBackup } from "./backup-record.ts";

const archive = { archive: "volume-db.tar.zst", sizeBytes: 10, sha256: "a".repeat(64), tarBytes: 1024 };
const volume = { key: "db", name: "s_db", driver: "local", labels: {}, options: {}, ...archive };
const record = {
  backupVersion: 1,
  name: "20251118T101500Z",
  stack: "s",
  release: "1-abc",
  version: "1",
  manifestSha256: "b".repeat(64),
  reason: "upgrade",
  consistency: "stopped",
  dumpTask: null,
  startedAt: "",
  finishedAt: "",
  volumes: [volume],
  unnamed: [{ service: "db", number: 1, target: "/data", name: "f00", content: archive }],
  data: null,
  marks: { once: {}, firstInstall: [], firstInstallDone: true },
};

test("reads what was written, and takes a record without marks or volumes that have no name", () => {
  expect(parseBackup(JSON.stringify(record))).toEqual(record);
  const { marks: _, unnamed: __, ...rest } = record;
  expect(parseBackup(JSON.stringify(rest))).toMatchObject({
    marks: { firstInstallDone: false },
    unnamed: [],
  });
});

test.each([
  ["no JSON", "{"],
  ["a newer version", { ...record, backupVersion: 2 }],
  ["a file elsewhere", { ...record, volumes: [{ ...volume, archive: "../x" }] }],
  ["a hidden file", { ...record, volumes: [{ ...volume, archive: ".x" }] }],
  ["no digest", { ...record, data: { ...archive, sha256: "x" } }],
  ["a size that is none", { ...record, data: { ...archive, sizeBytes: 1.5 } }],
  ["no key", { ...record, volumes: [{ ...volume, key: "" }] }],
  ["options that are none", { ...record, volumes: [{ ...volume, options: { a: 1 } }] }],
  ["a place that is none", { ...record, unnamed: [{ ...record.unnamed[0], target: "data" }] }],
  [
    "a place elsewhere",
    { ...record, unnamed: [{ ...record.unnamed[0], content: { ...archive, archive: "/x" } }] },
  ],
  ["no identity", { ...record, manifestSha256: undefined }],
])("refuses %s", (_, value) => {
  expect(parseBackup(typeof value === "string" ? value : JSON.stringify(value))).toBeUndefined();
});

test("names sort by time", () => {
  expect(backupName(new Date("2025-11-18T10:15:00.123Z"))).toBe("20251118T101500Z");
});
