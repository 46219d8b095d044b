import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { stripVTControlCharacters } from "node:util";
import { readLabEnvironment, tool } from "@drybag/lab";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { DRYBAG_SITE } from "./support/installer.ts";

const LINE_START = "\u0001";

let work: string;

beforeAll(async () => {
  work = await mkdtemp(path.join(tmpdir(), "drybag-completion-"));
  await mkdir(path.join(work, "opt", "erp"), { recursive: true });
  await symlink("releases/1", path.join(work, "opt", "erp", "current"));
});

afterAll(() => rm(work, { recursive: true, force: true }));

/** What `drybag-site completion` prints, for stacks in a folder of the test. */
async function script(shell: string): Promise<string> {
  const { stdout } = await execa(process.execPath, [DRYBAG_SITE, "completion", shell]);
  expect(stdout).toContain("/opt/drybag");
  const file = path.join(work, `completion.${shell}`);
  await writeFile(file, `${stdout.replaceAll("/opt/drybag", path.join(work, "opt"))}\n`);
  return file;
}

const unpacked = (name: string) => tool(name, { environment: readLabEnvironment(process.env) });

/** Types each line and Tab into a shell in a terminal, and has it say which words have become of it. */
async function typed(shell: string, setup: string, lines: readonly string[]): Promise<string[]> {
  const run = execa("script", ["-qec", shell, "/dev/null"], {
    env: { TERM: "dumb", PS1: "", HOME: work, HISTFILE: "" },
    cwd: work,
    reject: false,
    stdin: "pipe",
  });
  const rest = [...lines];
  let shown = "";
  let answers = 0;
  run.stdout.on("data", (chunk: Buffer) => {
    shown += stripVTControlCharacters(chunk.toString());
    // What is typed is shown too, but without the brackets.
    const told = shown.match(/<.*>\r?\n/g)?.length ?? 0;
    if (told === answers) return;
    answers = told;
    const line = rest.shift();
    run.stdin.write(line === undefined ? "exit\n" : `${line}\t${LINE_START}words \n`);
  });
  run.stdin.write(`words() { printf '<%s>' "$@"; echo; }; ${setup}; words ready\n`);
  await run;
  const found = [...shown.matchAll(/<drybag-site>((?:<[^<>]*>)*)/g)];
  return found.map((match) => (match[1] ?? "").slice(1, -1).replaceAll("><", " "));
}

const LINES = [
  ["drybag-site ro", "rollback"],
  ["drybag-site status ", "status erp"],
  ["drybag-site --json status e", "--json status erp"],
  ["drybag-site prune --k", "prune --keep"],
  ["drybag-site status --dir o", "status --dir opt"],
  ["drybag-site completion f", "completion fish"],
] as const;
const wanted = LINES.map(([, words]) => words);

test("bash completes commands, stacks, options and folders", async () => {
  const words = await typed(
    "bash --norc --noprofile -i",
    `source ${await script("bash")}`,
    LINES.map(([line]) => line),
  );
  expect(words.map((each) => each.replace(/\/$/, ""))).toEqual(wanted);
});

test("zsh completes commands, stacks, options and folders", async () => {
  const zsh = await unpacked("zsh");
  const functions = path.join(path.dirname(zsh), "../root/usr/share/zsh/functions");
  // Where the machine's own zsh is used, it knows where they are.
  const folders = (await readdir(functions, { recursive: true, withFileTypes: true }).catch(() => []))
    .filter((entry) => entry.isDirectory())
    .map((entry) => path.join(entry.parentPath, entry.name));
  const setup = [
    `fpath=(${folders.join(" ")} $fpath) module_path=(${path.dirname(zsh)}/../root/usr/lib/*/zsh/*(N/) $module_path)`,
    "autoload -Uz compinit; compinit -u -D",
    `source ${await script("zsh")}`,
  ];
  const words = await typed(
    `${zsh} -f -i`,
    setup.join("; "),
    LINES.map(([line]) => line),
  );
  expect(words).toEqual(wanted);
});

test("fish completes commands, stacks, options and folders", async () => {
  const fish = await unpacked("fish");
  const functions = path.join(path.dirname(fish), "../root/usr/share/fish/functions");
  const lines = [...LINES.map(([line]) => line), "drybag-site run --name "];
  const command = [
    `set --append fish_function_path ${functions}`,
    `source ${await script("fish")}`,
    ...lines.map((line) => `echo "> "(complete -C '${line}' | cut -f 1)`),
  ];
  const env = { HOME: work };
  const run = await execa(fish, ["--no-config", "-c", command.join("; ")], { env, cwd: work });
  expect(run.stderr).toBe("");
  expect(run.stdout.split("\n")).toEqual([
    ...["> rollback", "> erp", "> erp", "> --keep", "> opt/", "> fish"],
    // A text of one's own.
    "",
  ]);
});
