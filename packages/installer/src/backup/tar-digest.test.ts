import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { type Header, pack } from "tar-stream";
import { expect, test } from "vitest";
import { TarDigest } from "./tar-digest.ts";

type Named = Partial<Header> & Pick<Header, "name">;

async function digestOf(...entries: [Named, string?][]): Promise<string> {
  const tar = pack();
  for (const [header, content] of entries) tar.entry(header, content ?? "");
  tar.finalize();
  const digest = new TarDigest();
  const passing = digest.passing();
  const [passed] = await Promise.all([text(passing), pipeline(tar, passing)]);
  expect(passed.length % 512).toBe(0);
  return digest.result();
}

const folder = (mtime: Date): [Named] => [{ name: "seed/", type: "directory", mtime }];
const file: [Named, string] = [{ name: "seed/a", mode: 0o644, uid: 1, mtime: new Date(1e12) }, "content"];

test("times of folders do not count, all else does", async () => {
  const digest = await digestOf(folder(new Date(1e12)), file);
  expect(await digestOf(folder(new Date(2e12)), file)).toBe(digest);
  const others: [Named, string][] = [
    [{ ...file[0], mtime: new Date(2e12) }, "content"],
    [{ ...file[0], uid: 2 }, "content"],
    [{ ...file[0], mode: 0o600 }, "content"],
    [{ ...file[0], name: "seed/b" }, "content"],
    [{ ...file[0], pax: { "SCHILY.xattr.security.capability": "x" } }, "content"],
    [file[0], "Content"],
  ];
  for (const other of others) expect(await digestOf(folder(new Date(1e12)), other)).not.toBe(digest);
  expect(await digestOf(folder(new Date(1e12)))).not.toBe(digest);
});

test("a large file passes as fast as it is read", async () => {
  const large: [Named, string] = [{ name: "seed/large" }, "x".repeat(5_000_000)];
  expect(await digestOf(large)).toBe(await digestOf(large));
});
