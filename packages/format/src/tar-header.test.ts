import { execFile } from "node:child_process";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { promisify } from "node:util";
import { extract } from "tar-stream";
import { describe, expect, test } from "vitest";
import { sha256Hex } from "./sha256.ts";
import {
  checksum,
  END_OF_ARCHIVE_BYTES,
  encodeHeader,
  headerSizeBytes,
  paddingBytes,
  type TarItem,
} from "./tar-header.ts";
import { temporaryFolder } from "./testing/temporary-folder.ts";

const file = (path: string, sizeBytes = 0): TarItem => ({ path, type: "file", sizeBytes, mode: 0o644 });

const ITEMS: [string, TarItem][] = [
  ["a short name", file("drybag.json")],
  ["an empty folder", { path: "project/data/", type: "directory", sizeBytes: 0, mode: 0o755 }],
  ["a program", { ...file("project/run.sh"), mode: 0o755 }],
  ["100 bytes", file(`project/${"a".repeat(92)}`)],
  ["101 bytes, split", file(`project/${"a".repeat(93)}`)],
  ["the longest ustar name", file(`${"p".repeat(155)}/${"n".repeat(100)}`)],
  ["one byte more", file(`${"p".repeat(155)}/${"n".repeat(101)}`)],
  [
    "a long folder",
    { path: `${"d".repeat(60)}/${"d".repeat(60)}/`, type: "directory", sizeBytes: 0, mode: 0o755 },
  ],
  [
    "a folder that cannot be split",
    { path: `${"d".repeat(150)}/`, type: "directory", sizeBytes: 0, mode: 0o755 },
  ],
  ["letters outside ASCII", file("project/Straße/日本.txt")],
  ["a very long name", file(`project/${"abc/".repeat(1000)}x`)],
  ["a comment", { ...file("drybag.json"), comment: "sha256:0" }],
  ["a pax record whose length grows by its own digits", file(`é${"x".repeat(87)}`)],
];

async function readByTarStream(archive: Buffer): Promise<unknown[]> {
  const found: unknown[] = [];
  for await (const entry of Readable.from([archive]).pipe(extract())) {
    found.push(entry.header);
    entry.resume();
  }
  return found;
}

describe("a header", () => {
  test.each(ITEMS)("with %s is read by tar-stream and by tar", async (_, item) => {
    const header = encodeHeader(item, 1_700_000_000);
    expect(header.length).toBe(headerSizeBytes(item));
    const archive = Buffer.concat([header, Buffer.alloc(END_OF_ARCHIVE_BYTES)]);
    expect(await readByTarStream(archive)).toEqual([
      expect.objectContaining({
        name: item.path,
        type: item.type,
        mode: item.mode,
        uid: 0,
        gid: 0,
        size: 0,
        mtime: new Date(1_700_000_000_000),
      }),
    ]);

    const listing = promisify(execFile)("tar", ["-tv", "--full-time", "--quoting-style=literal", "--utc"]);
    listing.child.stdin?.end(archive);
    const { stdout, stderr } = await listing;
    expect(stderr).toBe("");
    const rights = { directory: "drwxr-xr-x", file: item.mode === 0o755 ? "-rwxr-xr-x" : "-rw-r--r--" }[
      item.type
    ];
    expect(stdout).toMatch(new RegExp(`^${rights} 0/0 +0 2023-11-14 22:13:20 `));
    expect(stdout.trimEnd().endsWith(` ${item.path}`)).toBe(true);
  });

  test("uses pax only where it must", () => {
    const sizes = ITEMS.map(([name, item]) => [name, headerSizeBytes(item)]);
    expect(Object.fromEntries(sizes)).toMatchObject({
      "100 bytes": 512,
      "101 bytes, split": 512,
      "the longest ustar name": 512,
      "a long folder": 512,
      "one byte more": 1536,
      "a folder that cannot be split": 1536,
      "letters outside ASCII": 1536,
    });
    expect(headerSizeBytes(file("a", 8 * 1024 ** 3 - 1))).toBe(512);
    expect(headerSizeBytes(file("a", 8 * 1024 ** 3))).toBe(1536);
  });

  test("above 8 GiB is read by tar-stream and by tar", async () => {
    const sizeBytes = 9 * 1024 ** 3 + 1;
    const header = encodeHeader(file("blobs/huge", sizeBytes), 0);
    const after = encodeHeader(file("after"), 0);

    const stream = extract();
    const seen = new Promise((resolve) => stream.once("entry", ({ size }) => resolve(size)));
    stream.write(header);
    expect(await seen).toBe(sizeBytes);

    await using folder = await temporaryFolder();
    const path = join(folder.path, "huge.tar");
    const hole = await open(path, "w");
    await hole.write(header);
    await hole.write(after, 0, after.length, header.length + sizeBytes + paddingBytes(sizeBytes));
    await hole.truncate(
      header.length + sizeBytes + paddingBytes(sizeBytes) + after.length + END_OF_ARCHIVE_BYTES,
    );
    await hole.close();
    const { stdout } = await promisify(execFile)("tar", ["-tvf", path]);
    expect(stdout).toMatch(new RegExp(` ${sizeBytes} .* blobs/huge\n.* after\n$`));
  });

  test("has the checksum that it says", () => {
    const header = encodeHeader(file("a"), 0);
    expect(Number.parseInt(header.toString("latin1", 148, 154), 8)).toBe(checksum(header));
  });

  test("golden: all of them", () => {
    expect(sha256Hex(Buffer.concat(ITEMS.map(([, item]) => encodeHeader(item, 1))))).toMatchInlineSnapshot(
      `"8a22c26baabd0db8b90f6d51e75994c1dfe097bdb2a8bbb32bd25934313c17e2"`,
    );
  });
});

test("padding fills a block", () => {
  expect([0, 1, 511, 512, 513].map(paddingBytes)).toEqual([0, 511, 1, 0, 511]);
});
