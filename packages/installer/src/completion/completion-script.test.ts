import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createProgram } from "../program.ts";
import { commandTree } from "./command-tree.ts";
import { completionScript, SHELLS } from "./completion-script.ts";

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "drybag it's "));
  mkdirSync(join(dir, "erp"));
  symlinkSync("releases/1", join(dir, "erp", "current"));
  mkdirSync(join(dir, "bin"));
});
afterAll(() => rmSync(dir, { recursive: true }));

/** What bash offers for the last of some words. */
function offered(...words: string[]): string[] {
  const script = completionScript("bash", commandTree(createProgram()), dir);
  const line = `${script}
COMP_WORDS=(drybag-site "$@"); COMP_CWORD=$#; _drybag_site; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const output = execFileSync("bash", ["--norc", "-c", line, "bash", ...words], {
    encoding: "utf8",
    cwd: dir,
  });
  return output.split("\n").filter(Boolean);
}

test("bash completes commands, options, stacks and folders", () => {
  expect(offered("")).toEqual(
    expect.arrayContaining(["install", "status", "doctor", "support", "completion"]),
  );
  expect(offered("ro")).toEqual(["rollback"]);
  expect(offered("prune", "--k")).toEqual(["--keep"]);
  expect(offered("status", "")).toEqual(["erp"]);
  expect(offered("--json", "status", "e")).toEqual(["erp"]);
  expect(offered("install", "b")).toEqual(["bin"]);
  expect(offered("status", "--dir", "b")).toEqual(["bin"]);
  expect(offered("install", "--name", "")).toEqual([]);
  expect(offered("completion", "")).toEqual([...SHELLS]);
});

test.each(SHELLS)("%s names every command", (shell) => {
  const tree = commandTree(createProgram());
  const script = completionScript(shell, tree, "/opt/drybag");
  for (const { name } of tree.commands) expect(script).toMatch(new RegExp(`\\b${name}\\b`));
});
