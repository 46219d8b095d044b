import { mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { asDiskFull, readArchive, verifyArchive, writeArchive } from "./archive-file.ts";
import type { ArchiveRecord } from "./backup-record.ts";

const around = { signal: new AbortController().signal, onBytes: () => undefined };
const CONTENT = Buffer.from("what is in it ".repeat(10_000));
let folder: string;
let path: string;
let record: ArchiveRecord;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "drybag-archive-"));
  path = join(folder, "volume-data.tar.zst");
  record = await writeArchive(Readable.from([CONTENT]), path, around);
});
afterAll(() => rm(folder, { recursive: true }));

test("what was written is read back", async () => {
  await verifyArchive(path, record, around);
  const chunks: Buffer[] = [];
  const into = new Writable({
    write(chunk, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  await readArchive(path, into, around);
  expect(Buffer.concat(chunks).equals(CONTENT)).toBe(true);
  expect(record.tarBytes).toBe(CONTENT.length);
});

test("each flipped bit, each cut and a missing file are refused by name", async () => {
  const whole = await readFile(path);
  const damaged = { code: "backup-damaged", message: expect.stringContaining(path) };
  try {
    for (const position of whole.keys()) {
      const bytes = Buffer.from(whole);
      bytes[position] = (bytes[position] as number) ^ (1 << (position % 8));
      await writeFile(path, bytes);
      await expect(verifyArchive(path, record, around)).rejects.toMatchObject(damaged);
    }
    for (const size of [whole.length - 1, whole.length >> 1, 0]) {
      await truncate(path, size);
      await expect(verifyArchive(path, record, around)).rejects.toMatchObject(damaged);
    }
    await rm(path);
    await expect(verifyArchive(path, record, around)).rejects.toMatchObject({
      code: "backup-damaged",
      message: `${path} is missing.`,
    });
  } finally {
    await writeFile(path, whole);
  }
});

test("a disk or a quota that is full is told as that, whatever was written", () => {
  for (const code of ["ENOSPC", "EDQUOT"]) {
    const error = asDiskFull(Object.assign(new Error("write"), { code }), path);
    expect(error).toMatchObject({ code: "disk-full", message: expect.stringContaining(path) });
  }
  const other = Object.assign(new Error("write"), { code: "EIO" });
  expect(asDiskFull(other, path)).toBe(other);
});
