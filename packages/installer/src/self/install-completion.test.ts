import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { installCompletion } from "./install-completion.ts";

const TREE = { program: "drybag-site", options: [], commands: [] };
let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "drybag-completion-"));
});
afterEach(() => rm(root, { recursive: true }));

test("shells that are here get their completion, others nothing", async () => {
  const folders = ["usr/share/bash-completion/completions", "usr/share/zsh/site-functions"];
  for (const folder of folders) await mkdir(join(root, folder), { recursive: true });
  const written = await installCompletion(TREE, "/opt/drybag", root);
  expect(written).toEqual([
    join(root, folders[0] ?? "", "drybag-site"),
    join(root, folders[1] ?? "", "_drybag-site"),
  ]);
  expect(await readFile(written[0] ?? "", "utf8")).toContain(
    "complete -o filenames -F _drybag_site drybag-site",
  );
  expect(await readdir(join(root, "usr/share"))).toEqual(["bash-completion", "zsh"]);
});

test("what cannot be written is left alone", async () => {
  await mkdir(join(root, "usr/share/bash-completion"), { recursive: true });
  await writeFile(join(root, "usr/share/bash-completion/completions"), "");
  await chmod(join(root, "usr/share/bash-completion/completions"), 0o755);
  expect(await installCompletion(TREE, "/opt/drybag", root)).toEqual([]);
});
