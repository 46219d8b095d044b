import { execFile } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const root = path.join(import.meta.dirname, "..");
const PROGRAMS = { drybag: "packages/bundler/src/main.ts", "drybag-site": "packages/installer/src/main.ts" };
type Program = keyof typeof PROGRAMS;

interface Written {
  page: string;
  program: Program;
  words: string[];
}

/** Command lines of the manuals: in code blocks, at the start of a line, and of the example workflow. */
function writtenCommands(page: string): Written[] {
  const text = readFileSync(path.join(root, page), "utf8");
  const lines = page.endsWith(".yml") ? text.split("\n") : codeLines(text);
  return lines.flatMap((line) => {
    const [, program, rest = ""] =
      /^\s*(?:run: |\$ )?(?:pnpm )?(drybag(?:-site)?) ([a-z].*)$/.exec(line) ?? [];
    if (program === undefined) return [];
    const words = rest.replace(/\s+#.*$/, "").split(/\s+/);
    return { page, program: program as Program, words };
  });
}

function codeLines(text: string): string[] {
  let isCode = false;
  return text.split("\n").filter((line) => {
    if (line.startsWith("```")) isCode = !isCode;
    return isCode;
  });
}

const run = promisify(execFile);

async function helpOf(program: Program, command: readonly string[]): Promise<string> {
  const file = path.join(root, PROGRAMS[program]);
  return (await run(process.execPath, ["--no-warnings", "--", file, ...command, "--help"])).stdout;
}

const pages = globSync(["README.md", "docs/*.md", "docs/examples/*.yml"], { cwd: root });
const written = pages.flatMap(writtenCommands);

test("the commands of the manuals are there, with their options", { timeout: 240_000 }, async () => {
  expect(written.length).toBeGreaterThan(30);
  const helps = new Map<string, string>();
  for (const { page, program, words } of written) {
    const command = words.slice(0, words[0] === "cache" ? 2 : 1);
    const key = [program, ...command].join(" ");
    const help = helps.get(key) ?? (await helpOf(program, command));
    helps.set(key, help);
    expect(help, `${page}: ${key}`).toContain(`Usage: ${key} `);
    for (const option of words.filter((word) => /^--?[a-z]/.test(word))) {
      const name = option.replace(/=.*$/, "");
      expect(help.match(/(?<=[\s,])--?[a-z][a-z-]*/g), `${page}: ${key} ${name}`).toContain(name);
    }
  }
});
