import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Redactor } from "./redact.ts";
import { linesOf, MAX_FILE_BYTES, MAX_TOTAL_BYTES, SupportArchive } from "./support-archive.ts";

const run = promisify(execFile);
const SECRET = "correct-horse-battery";
const redactor = () => new Redactor({ values: [SECRET], names: [] });
let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "drybag-support-"));
  path = join(folder, "support.tar.gz");
});
afterEach(() => rm(folder, { recursive: true }));

async function read(name: string): Promise<string> {
  return (await run("tar", ["-xOzf", path, name], { maxBuffer: 2 * MAX_FILE_BYTES })).stdout;
}

async function* inPieces(text: string, length: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < text.length; at += length) yield Buffer.from(text.slice(at, at + length));
}

test("what is added comes out redacted, wherever its pieces were cut, and only its owner may read it", async () => {
  const text = `first\nlogin with ${SECRET}\nlast`;
  {
    await using archive = await SupportArchive.create(path);
    for (const length of [1, 7, 100]) await archive.add(`${length}.txt`, inPieces(text, length), redactor());
    await archive.finish();
  }
  for (const length of [1, 7, 100])
    expect(await read(`${length}.txt`)).toBe("first\nlogin with (hidden)\nlast\n");
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await readdir(folder)).toEqual(["support.tar.gz"]);
});

test("one that was not finished leaves nothing", async () => {
  {
    await using archive = await SupportArchive.create(path);
    await archive.add("a.txt", "a", redactor());
  }
  expect(await readdir(folder)).toEqual([]);
});

test("a log that is too long is cut, and the archive is full one day", { timeout: 60_000 }, async () => {
  await using archive = await SupportArchive.create(path);
  const long = `${"x".repeat(1023)}\n`.repeat(MAX_FILE_BYTES / 1024 + 1);
  const count = MAX_TOTAL_BYTES / MAX_FILE_BYTES + 1;
  for (let index = 0; index < count; index += 1) await archive.add(`${index}.log`, long, redactor());
  await archive.finish();
  expect(archive.cut).toHaveLength(count);
  expect(archive.cut[0]).toMatch(/^0\.log: cut after/);
  expect(archive.cut.at(-1)).toMatch(/left out/);
  expect((await read("0.log")).length).toBe(MAX_FILE_BYTES);
});

test("a line without an end is cut, together with a secret that the cut goes through", async () => {
  const line = `${"y".repeat(64 * 1024 - 5)}${SECRET}${"z".repeat(200_000)}`;
  await using archive = await SupportArchive.create(path);
  await archive.add("a.txt", inPieces(`${line}\nnext\n`, 1000), redactor());
  await archive.finish();
  const shown = await read("a.txt");
  expect(shown).toMatch(/^y+ \(cut\)\nnext\n$/);
  expect(shown.length).toBeLessThan(64 * 1024);
});

test("lines come out as they went in", async () => {
  const lines = [];
  for await (const { line } of linesOf(inPieces("ä\n\nö", 3))) lines.push(line);
  expect(lines).toEqual(["ä", "", "ö"]);
});
