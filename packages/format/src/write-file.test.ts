import { chmod, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { refusal } from "./testing/refusal.ts";
import { temporaryFolder } from "./testing/temporary-folder.ts";
import { fsyncDirectory, temporaryName, writeFileAtomically } from "./write-file.ts";

test("replaces a file whole, with the mode given, whatever a killed run left", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "site.env");
  await writeFile(path, "old");
  await writeFile(temporaryName(path), "half");
  await chmod(temporaryName(path), 0o666);
  await writeFileAtomically(path, "new", { mode: 0o600 });
  expect(await readFile(path, "utf8")).toBe("new");
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await readdir(folder.path)).toEqual(["site.env"]);
});

test("sets the mode against the umask", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "install.sh");
  await writeFileAtomically(path, Buffer.from("#!/bin/sh\n"), { mode: 0o775 });
  expect((await stat(path)).mode & 0o777).toBe(0o775);
});

test("says what to do where it cannot write", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "missing", "file");
  expect(await refusal(() => writeFileAtomically(path, "x"))).toMatch(/^not-writable: .*missing\/file/);
  await fsyncDirectory(folder.path);
});
