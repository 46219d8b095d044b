import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { pack } from "tar-stream";
import { expect, test } from "vitest";
import { compareFiles } from "./verify-apps.ts";

const objectName = (content: string) =>
  createHash("sha1")
    .update(`blob ${Buffer.byteLength(content)}\0${content}`)
    .digest("hex");

async function compare(image: Record<string, string>, commit: Record<string, string>) {
  const archive = pack();
  archive.entry({ name: "app/", type: "directory" });
  for (const [name, content] of Object.entries(image)) {
    if (content.startsWith("-> "))
      archive.entry({ name: `app/${name}`, type: "symlink", linkname: content.slice(3) });
    else archive.entry({ name: `app/${name}` }, content);
  }
  archive.finalize();
  const files = Object.entries(commit).map(([name, content]) => [name, objectName(content)] as const);
  return compareFiles(Readable.from(archive), new Map(files), new AbortController().signal);
}

test("the same files, links too; what the image adds or lacks is no matter", async () => {
  const commit = { "a.py": "a\n", "link.py": "a.py", "docs/x.md": "x\n" };
  expect(await compare({ "a.py": "a\n", "link.py": "-> a.py", "dist/built.js": "b" }, commit)).toEqual({
    changed: [],
    equal: 2,
  });
});

test("a file of another commit is named, lock files are not", async () => {
  const commit = { "a.py": "a\n", "b/c.py": "c\n", "yarn.lock": "1\n", "f/package-lock.json": "{}" };
  expect(
    await compare(
      { "a.py": "a\n", "b/c.py": "C\n", "yarn.lock": "2\n", "f/package-lock.json": "{ }" },
      commit,
    ),
  ).toEqual({ changed: ["b/c.py"], equal: 1 });
});

test("nothing where there is no archive", async () => {
  const none = await compareFiles(Readable.from([]), new Map([["a", "b"]]), new AbortController().signal);
  expect(none).toEqual({ changed: [], equal: 0 });
});
