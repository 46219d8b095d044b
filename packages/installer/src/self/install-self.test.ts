import { chmod, mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { installSelf } from "./install-self.ts";

let folder: string;
let executable: string;
let links: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "drybag-self-"));
  executable = join(folder, "from-the-stick");
  links = join(folder, "links");
  await mkdir(links);
  await writeFile(executable, "new");
  // As install.sh leaves it.
  await chmod(executable, 0o700);
});
afterEach(() => rm(folder, { recursive: true }));

test("the program lies in bin, with a link, and replaces the one before", async () => {
  const dir = join(folder, "opt");
  for (const content of ["old", "new"]) {
    await writeFile(executable, content);
    expect(await installSelf(executable, "1.0.0", dir, links)).toEqual({
      path: join(dir, "bin/drybag-site"),
      command: "drybag-site",
    });
    expect(await readFile(join(links, "drybag-site"), "utf8")).toBe(content);
  }
  expect((await stat(join(dir, "bin/drybag-site"))).mode & 0o777).toBe(0o755);
  expect(await readdir(join(dir, "bin"))).toEqual(["drybag-site", "drybag-site.version"]);
});

test("a newer one stays, an equal or older one does not", async () => {
  const contents = [];
  for (const version of ["1.2.0", "1.1.9", "1.2.0", "1.10.0", "0.9.0"]) {
    await writeFile(executable, version);
    const { path, newerStays } = await installSelf(executable, version, folder, undefined);
    contents.push([await readFile(path, "utf8"), newerStays]);
  }
  expect(contents).toEqual([
    ["1.2.0", undefined],
    ["1.2.0", "1.2.0"],
    ["1.2.0", undefined],
    ["1.10.0", undefined],
    ["1.10.0", "1.10.0"],
  ]);
});

test("one that runs from there already is left alone", async () => {
  const { path } = await installSelf(executable, "1.0.0", folder, undefined);
  expect(await installSelf(path, "1.0.0", folder, undefined)).toEqual({ path, command: path });
  expect(await readFile(path, "utf8")).toBe("new");
});

test("something else of that name is not replaced, and a folder that is not there is not made", async () => {
  await writeFile(join(links, "drybag-site"), "another program");
  const { path, command } = await installSelf(executable, "1.0.0", folder, links);
  expect(command).toBe(path);
  expect(await readFile(join(links, "drybag-site"), "utf8")).toBe("another program");
  expect((await installSelf(executable, "1.0.0", folder, join(folder, "missing"))).command).toBe(path);
  await expect(readlink(join(folder, "missing"))).rejects.toThrow();
});
